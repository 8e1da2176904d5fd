#include "core/control_pipe.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

namespace brokerlab {
namespace {

// A ControlPipe between two pipes whose other ends the test holds.
class ControlPipeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe(to_.data()), 0);
    ASSERT_EQ(::pipe(from_.data()), 0);
    uv_loop_init(&loop_);
    pipe_ = std::make_unique<ControlPipe>(&loop_, to_[0], from_[1]);
    pipe_->on_end([this] { ++ends_; });
  }
  void TearDown() override {
    pipe_->close();
    while (!pipe_->closed()) uv_run(&loop_, UV_RUN_ONCE);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
    if (to_[1] >= 0) ::close(to_[1]);
    ::close(from_[0]);
  }
  void write(std::string_view text) {
    ASSERT_EQ(::write(to_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    turn();
  }
  void end_input() {
    ::close(to_[1]);
    to_[1] = -1;
    turn();
  }
  void turn() {
    for (int i = 0; i < 5; ++i) uv_run(&loop_, UV_RUN_NOWAIT);
  }
  void collect() {
    pipe_->on_line([this](const Json& line) { lines_.push_back(line.dump()); });
  }
  std::string read_output() {
    turn();
    std::string text(65536, ' ');
    ::fcntl(from_[0], F_SETFL, O_NONBLOCK);
    const ssize_t size = ::read(from_[0], text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  std::array<int, 2> to_{}, from_{};
  uv_loop_t loop_{};
  std::unique_ptr<ControlPipe> pipe_;
  std::vector<std::string> lines_;
  int ends_ = 0;
};

TEST_F(ControlPipeTest, PutsLinesTogetherHoweverTheyCome) {
  collect();
  write("{\"a\":");
  EXPECT_THAT(lines_, testing::IsEmpty());
  write("1}\n{\"b\":2}\n{\"c");
  write("\":3}\n");
  EXPECT_THAT(lines_, testing::ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":3}"));
  EXPECT_FALSE(pipe_->stop_seen());
}

TEST_F(ControlPipeTest, KeepsLinesForALaterHandler) {
  write("{\"assignment\":{}}\n{\"start\":5}\n{\"stop\":true}\n");
  EXPECT_EQ(pipe_->read_first_line().dump(), "{\"assignment\":{}}");
  collect();
  EXPECT_THAT(lines_, testing::ElementsAre("{\"start\":5}", "{\"stop\":true}"));
  EXPECT_TRUE(pipe_->stop_seen());
}

TEST_F(ControlPipeTest, TellsTheEndOfTheInputOnce) {
  collect();
  end_input();
  EXPECT_EQ(ends_, 1);
  EXPECT_THROW(pipe_->read_first_line(), Error);
}

TEST_F(ControlPipeTest, NonsenseIsTheEndToo) {
  collect();
  write("{\"a\":1}\nnonsense\n{\"b\":2}\n");
  EXPECT_EQ(ends_, 1);
  EXPECT_THAT(lines_, testing::ElementsAre("{\"a\":1}"));
}

TEST_F(ControlPipeTest, SendsLinesOfJson) {
  pipe_->notice("text with\nline end", true);
  pipe_->error(Error("what", "where", "remedy"));
  pipe_->send({{"bytes", "\xff"}});
  EXPECT_EQ(read_output(),
            "{\"notice\":\"text with\\nline end\",\"level\":\"warning\"}\n"
            "{\"error\":{\"what\":\"what\",\"where\":\"where\",\"remedy\":\"remedy\"}}\n"
            "{\"bytes\":\"\xEF\xBF\xBD\"}\n");
}

TEST_F(ControlPipeTest, WritesEverythingBeforeItCloses) {
  const std::string long_text(1 << 20, 'x');  // more than a pipe holds
  pipe_->send({{"text", long_text}});
  EXPECT_GT(pipe_->backlog_bytes(), 0U);
  pipe_->close();
  pipe_->send({{"late", 1}});
  std::string all;
  for (std::string some; !pipe_->closed() || !(some = read_output()).empty();)
    all += read_output() + some, some.clear();
  EXPECT_EQ(all.size(), long_text.size() + std::string("{\"text\":\"\"}\n").size());
}

TEST(ControlPipe, RefusesWhatIsNoPipe) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  const int file = ::open("/dev/null", O_RDWR);
  EXPECT_THROW(ControlPipe(&loop, file, file), Error);
  ::close(file);
  EXPECT_EQ(uv_loop_close(&loop), 0);
}

}  // namespace
}  // namespace brokerlab
