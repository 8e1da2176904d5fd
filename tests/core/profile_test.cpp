#include "core/profile.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace brokerlab {
namespace {

TEST(Profile, OneValueAfterTheOtherAndRoundAgain) {
  const Profile profile = Profile::from_json(
      Json::parse(R"([{"value": "100B", "for": "1s"}, {"value": "1KiB", "for": "500ms"}])"), number_of_bytes);
  EXPECT_EQ(profile.at(0), 100);
  EXPECT_EQ(profile.at(999'999'999), 100);
  EXPECT_EQ(profile.at(1'000'000'000), 1024);
  EXPECT_EQ(profile.at(1'500'000'000), 100);
  EXPECT_EQ(profile.at(2'600'000'000), 1024);
  EXPECT_EQ(profile.at(-5), 100);
}

TEST(Profile, AStepLasts) {
  EXPECT_THROW(Profile::from_json(Json::array(), plain_number), Error);
  EXPECT_THROW(Profile::from_json(Json::parse(R"([{"value": 1, "for": "0s"}])"), plain_number), Error);
}

}  // namespace
}  // namespace brokerlab
