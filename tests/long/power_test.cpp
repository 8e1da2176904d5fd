// How often a comparison finds what is there, and what is not: simulated, and written into docs/metrics.md.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "analysis/effect.h"
#include "core/random.h"

namespace brokerlab {
namespace {

constexpr int kFamilies = 1000;
constexpr int kFigures = 12;  // of a family: about what an experiment with work in it has

// One figure in `blocks` blocks: each run is off by a factor with a standard deviation of `noise`, the
// variant by `effect` besides.
Effect figure(Random& random, int blocks, double noise, double effect) {
  std::vector<double> differences;
  for (int i = 0; i < blocks; ++i)
    differences.push_back(std::log(effect) + random.normal(0, noise) - random.normal(0, noise));
  Effect figure;
  figure.metric = headline_metrics().data() + 1;
  figure.trials = static_cast<std::size_t>(blocks);
  figure.p = signed_rank_p(differences);
  figure.smallest_p = smallest_signed_rank_p(figure.trials);
  figure.change = hodges_lehmann(differences);
  return figure;
}

// Families of `figures`, the first of which has an effect: in how many is it found, and in how many is
// another?
struct Found {
  int effect = 0;
  int alarm = 0;
};

Found simulate(int families, int figures, int blocks, double noise, double effect) {
  Random random(1, "power", static_cast<std::uint64_t>(blocks * 100 + figures));
  Found found;
  for (int i = 0; i < families; ++i) {
    std::vector<Effect> family;
    for (int j = 0; j < figures; ++j) family.push_back(figure(random, blocks, noise, j == 0 ? effect : 1));
    judge_family(family, {});
    bool alarm = false;
    for (std::size_t j = 1; j < family.size(); ++j) alarm |= family[j].verdict == Difference::kDifferent;
    found.effect += family[0].verdict == Difference::kDifferent;
    found.alarm += alarm;
  }
  return found;
}

// In all families nothing is there: any figure that is called different is a false alarm.
int false_alarms(int families, int blocks) {
  const Found found = simulate(families, kFigures + 1, blocks, .1, 1);
  return found.alarm;
}

std::string share(int found, int families) {
  const double percent = 100.0 * found / families;
  return percent > 99.4 && found < families ? "> 99 %" : fmt::format("{:.0f} %", percent);
}

std::string power_table(int families) {
  std::string text =
      "| blocks | 10 %, noise 5 % | 20 %, noise 5 % | 10 %, noise 10 % | 20 %, noise 10 % | false alarms |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const int blocks : {6, 8, 10, 15, 20}) {
    text += fmt::format("| {} |", blocks);
    for (const double noise : {.05, .1}) {
      for (const double effect : {1.1, 1.2}) {
        const int alone = simulate(families, 1, blocks, noise, effect).effect;
        const int among = simulate(families, kFigures, blocks, noise, effect).effect;
        text += fmt::format(" {}, {} |", share(alone, families), share(among, families));
      }
    }
    text += fmt::format(" {} of {} |\n", false_alarms(families, blocks), families);
  }
  return text;
}

// At most 5 % of a thousand families, as the correction promises.
TEST(Power, UnderNoDifferenceFewFamiliesShowOne) {
  for (const int blocks : {8, 10, 20}) {
    const int alarms = false_alarms(kFamilies, blocks);
    std::printf("%d blocks: %d of %d families of %d figures have a false alarm\n", blocks, alarms, kFamilies,
                kFigures);
    EXPECT_LE(alarms, kFamilies / 20);
  }
}

// BROKERLAB_UPDATE_DOCS=1 writes the table anew; BROKERLAB_POWER_FAMILIES=100000 prints a finer one.
TEST(Power, TheTableOfTheDocumentationIsWhatTheSimulationSays) {
  if (const char* families = std::getenv("BROKERLAB_POWER_FAMILIES")) {
    std::printf("%s", power_table(std::atoi(families)).c_str());
    return;
  }
  const std::string path = BROKERLAB_SOURCE_DIR "/docs/metrics.md";
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  std::string docs = read.str();
  const std::string table = power_table(kFamilies);
  const std::size_t begin = docs.find("| blocks | 10 %");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t end = docs.find("\n\n", begin) + 1;
  if (std::getenv("BROKERLAB_UPDATE_DOCS") != nullptr) {
    std::ofstream(path) << docs.replace(begin, end - begin, table);
    return;
  }
  EXPECT_EQ(docs.substr(begin, end - begin), table) << "BROKERLAB_UPDATE_DOCS=1 writes it anew";
}

}  // namespace
}  // namespace brokerlab
