#include "analysis/plot.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "tests/analysis/report_fixture.h"

// fontconfig keeps what it has read about fonts until the process ends, and says so only to itself.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }  // NOLINT

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

TEST(Plot, WritesSvg) {
  const ScratchFolder folder;
  write_plot({fixture("work_queue")}, "busy-time-per-worker", folder / "busy.svg");
  const std::string svg = content_of(folder / "busy.svg");
  EXPECT_THAT(svg, StartsWith("<svg width=\"960\""));
  EXPECT_THAT(svg, HasSubstr("Busy time per worker"));
  EXPECT_THAT(svg, HasSubstr("fill=\"#ffffff\"")) << "a background of its own";
  EXPECT_THAT(svg, HasSubstr(">push · Jain 0.616"));
}

TEST(Plot, WritesPngAtTwiceTheSize) {
  const ScratchFolder folder;
  write_plot({fixture("work_queue")}, "latency", folder / "latency.png");
  const std::string png = content_of(folder / "latency.png");
  ASSERT_THAT(png, StartsWith("\x89PNG"));
  EXPECT_EQ(big_endian(png, 16), 1920u);
  EXPECT_GT(png.size(), 20'000u) << "as large as a drawing with text, not as an empty page";
}

TEST(Plot, TextIsDrawnInPng) {
  // The same picture with and without its text must differ: it would not where no font is installed.
  const std::string head =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90\" height=\"30\"><rect width=\"90\" height=\"30\" "
      "fill=\"#fff\"/>";
  const std::string text =
      "<text x=\"5\" y=\"20\" style=\"font-size:12px;font-family:system-ui, sans-serif\">99 % µs</text>";
  EXPECT_NE(png_from_svg(head + text + "</svg>", 2), png_from_svg(head + "</svg>", 2));
}

TEST(Plot, LeavesNothingBehindWhereItCannotWrite) {
  const ScratchFolder folder;
  try {
    write_plot({fixture("work_queue")}, "latency", folder / "no/such/folder/latency.svg");
    FAIL() << "there is no such folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kFailed);
    EXPECT_THAT(error.where(), HasSubstr("no/such/folder/latency.svg"));
    EXPECT_THAT(error.summary(), HasSubstr("No such file or directory"));
  }
  std::filesystem::create_directory(folder / "taken.svg");
  EXPECT_THROW(write_plot({fixture("work_queue")}, "latency", folder / "taken.svg"), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / ""), {}), 1)
      << "no part of a file is left";
}

TEST(Plot, RefusesWhatItCannotMakeClearly) {
  const ScratchFolder folder;
  const auto status_of = [&](const std::string& fixture_name, const std::string& chart,
                             const std::string& file) {
    try {
      write_plot({fixture(fixture_name)}, chart, folder / file);
    } catch (const Error& error) {
      EXPECT_NE(error.remedy(), "");
      return error.status();
    }
    return ExitStatus::kDone;
  };
  EXPECT_EQ(status_of("work_queue", "latency", "latency.gif"), ExitStatus::kUsage);
  EXPECT_EQ(status_of("work_queue", "latence", "latency.svg"), ExitStatus::kUsage);
  EXPECT_EQ(status_of("sparse", "gantt", "gantt.svg"), ExitStatus::kFailed)
      << "nothing to show is no empty picture";
}

}  // namespace
}  // namespace brokerlab
