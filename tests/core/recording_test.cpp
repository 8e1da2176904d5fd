#include "core/recording.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/key_hash.h"
#include "core/random.h"

namespace brokerlab {
namespace {

PublishRecord publish(std::uint32_t sequence) {
  return {.intended_ns = 1000 + sequence,
          .sent_ns = 2000 + sequence,
          .settled_ns = 0,
          .sequence = sequence,
          .publisher = static_cast<std::uint16_t>(sequence % 7),
          .route = 1,
          .outcome = 0};
}

DeliveryRecord delivery(std::uint32_t sequence) {
  DeliveryRecord record{};
  record.intended_ns = 1000 + sequence;
  record.received_ns = 5000 + sequence;
  record.sequence = sequence;
  record.body_bytes = 100;
  return record;
}

class RecordingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / ("recording-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& name = "a.rec") const { return folder_ / name; }

  // Fails the test unless the publishes are exactly sequence 0 … count - 1, whole.
  static std::uint32_t expect_prefix(const RecordingReader& reader) {
    std::uint32_t next = 0;
    reader.each_publish([&](std::span<const PublishRecord> records) {
      for (const PublishRecord& record : records) {
        ASSERT_EQ(record.sequence, next);
        ASSERT_EQ(record.intended_ns, 1000 + next);
        ASSERT_EQ(record.sent_ns, 2000 + next);
        ++next;
      }
    });
    EXPECT_EQ(next, reader.publishes());
    return next;
  }

  std::filesystem::path folder_;
};

TEST_F(RecordingTest, KeepsEverythingInOrder) {
  constexpr std::uint32_t kRecords = 600000;  // several chunks of each kind
  {
    RecordingWriter writer(file(), {{"process", "emitter-0"}, {"routes", {"a", "b"}}});
    for (std::uint32_t i = 0; i < kRecords; ++i) {
      writer.append_publish(publish(i));
      if (i % 3 == 0) {
        writer.append_delivery(delivery(i / 3));
      }
      if (i % 1000 == 0) {
        writer.append_event().value = i;
      }
    }
    writer.counters().messages_out = kRecords;
    writer.close();
    writer.close();
    EXPECT_EQ(writer.counters().messages_out, kRecords);
  }
  const RecordingReader reader(file());
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.damage(), "");
  EXPECT_EQ(reader.header()["process"], "emitter-0");
  EXPECT_EQ(reader.counters().messages_out, kRecords);
  EXPECT_EQ(expect_prefix(reader), kRecords);
  std::uint32_t next = 0;
  reader.each_delivery([&](std::span<const DeliveryRecord> records) {
    for (const DeliveryRecord& record : records) {
      ASSERT_EQ(record.sequence, next);
      ASSERT_EQ(record.received_ns, 5000 + next);
      ++next;
    }
  });
  EXPECT_EQ(next, kRecords / 3);
  EXPECT_EQ(reader.deliveries(), kRecords / 3);
  std::int64_t value = 0;
  reader.each_event([&](std::span<const EventRecord> records) {
    for (const EventRecord& record : records) {
      ASSERT_EQ(record.value, value);
      value += 1000;
    }
  });
  EXPECT_EQ(reader.events(), kRecords / 1000);
}

TEST_F(RecordingTest, DetailsKnowTheirDelivery) {
  constexpr std::uint32_t kDeliveries = 50001;  // several chunks
  {
    RecordingWriter writer(file(), Json::object());
    for (std::uint32_t i = 0; i < kDeliveries; ++i) {
      writer.append_delivery(delivery(i));
      if (i % 3 == 1) {
        writer.append_detail({.delivery = 0,
                              .origin_intended_ns = 7000 + i,
                              .origin_publisher = 9,
                              .origin_sequence = i,
                              .key_hash = key_hash("key")});
      }
    }
    writer.close();
  }
  const RecordingReader reader(file());
  EXPECT_EQ(reader.damage(), "");
  EXPECT_EQ(reader.deliveries(), kDeliveries);
  EXPECT_EQ(reader.details(), kDeliveries / 3);
  std::uint64_t next = 1;
  reader.each_detail([&](std::span<const DeliveryDetail> details) {
    for (const DeliveryDetail& detail : details) {
      ASSERT_EQ(detail.delivery, next);
      ASSERT_EQ(detail.origin_sequence, next);
      ASSERT_EQ(detail.origin_publisher, 9U);
      ASSERT_EQ(detail.origin_intended_ns, static_cast<Nanoseconds>(7000 + next));
      ASSERT_EQ(detail.key_hash, key_hash("key"));
      next += 3;
    }
  });
  EXPECT_EQ(next, 1 + 3 * reader.details());
  std::uint64_t visited = 0;
  reader.each_delivery_and_detail([&](const DeliveryRecord& record, const DeliveryDetail* detail) {
    ASSERT_EQ(record.sequence, visited);
    ASSERT_EQ(detail != nullptr, visited % 3 == 1);
    if (detail != nullptr) {
      ASSERT_EQ(detail->delivery, visited);
    }
    ++visited;
  });
  EXPECT_EQ(visited, kDeliveries);
}

// The published test vectors of FNV-1a.
TEST(KeyHash, IsFnv1a) {
  EXPECT_EQ(key_hash(""), 0xcbf29ce484222325U);
  EXPECT_EQ(key_hash("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(key_hash("foobar"), 0x85944171f73967e8U);
}

TEST_F(RecordingTest, ReferencesStayValidUntilClose) {
  RecordingWriter writer(file(), Json::object());
  std::vector<PublishRecord*> records;
  constexpr std::uint32_t kRecords = 1'000'000;  // 32 MB: more than stays in resident memory
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    records.push_back(&writer.append_publish(publish(i)));
  }
  for (PublishRecord* record : records) {
    record->settled_ns = record->sent_ns + 10;
    record->outcome = kConfirmed;
  }
  writer.close();
  const RecordingReader reader(file());
  EXPECT_EQ(expect_prefix(reader), kRecords);
  reader.each_publish([](std::span<const PublishRecord> part) {
    for (const PublishRecord& record : part) {
      ASSERT_EQ(record.outcome, kConfirmed);
      ASSERT_EQ(record.settled_ns, record.sent_ns + 10);
    }
  });
}

TEST_F(RecordingTest, AnUnusedRecordingIsSmall) {
  {
    RecordingWriter writer(file(), Json::object());
    writer.append_publish(publish(0));
    writer.append_event();
    writer.close();
  }
  // The event's chunk stands last and is cut; the one before it is a hole for the most part.
  EXPECT_LE(std::filesystem::file_size(file()), 300u << 10);
  const RecordingReader reader(file());
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.publishes(), 1u);
  EXPECT_EQ(reader.events(), 1u);
}

TEST_F(RecordingTest, AnUnwoundWriterIsNotComplete) {
  {
    RecordingWriter writer(file(), Json::object());
    writer.append_publish(publish(0));
  }
  const RecordingReader reader(file());
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(expect_prefix(reader), 1u);
}

TEST_F(RecordingTest, SurvivesSigkillInTheMiddleOfAppending) {
  for (int round = 0; round < 5; ++round) {
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      RecordingWriter writer(file(), {{"process", "doomed"}});
      for (std::uint32_t i = 0;; ++i) {
        writer.append_publish(publish(i));
        writer.counters().messages_out = i + 1;
        // Every so often it says how far it has surely come; the reader must find at least that much.
        if (i % 20000 == 0 && ::write(told[1], &i, sizeof i) != sizeof i) {
          ::_exit(1);
        }
      }
    }
    ASSERT_GT(child, 0);
    ::close(told[1]);
    std::uint32_t sure = 0;
    const auto wanted = static_cast<std::uint32_t>(round) * 400000;
    do {
      ASSERT_EQ(::read(told[0], &sure, sizeof sure), static_cast<ssize_t>(sizeof sure));
    } while (sure < wanted);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ::close(told[0]);

    const RecordingReader reader(file());
    EXPECT_FALSE(reader.complete());
    EXPECT_EQ(reader.damage(), "");
    EXPECT_EQ(reader.header()["process"], "doomed");
    const std::uint32_t found = expect_prefix(reader);
    EXPECT_GT(found, sure);
    // Killed between a record and its counter at the worst.
    EXPECT_GE(found, static_cast<std::uint64_t>(reader.counters().messages_out));
    EXPECT_LE(found, static_cast<std::uint64_t>(reader.counters().messages_out) + 1);
  }
}

// Reads whatever can be read; an Error is fine, anything else that ends the test is not.
std::uint64_t read_somehow(const std::filesystem::path& path) {
  try {
    const RecordingReader reader(path);
    std::uint64_t records = 0;
    reader.each_publish([&](std::span<const PublishRecord> part) { records += part.size(); });
    reader.each_delivery([&](std::span<const DeliveryRecord> part) { records += part.size(); });
    reader.each_event([&](std::span<const EventRecord> part) { records += part.size(); });
    return records;
  } catch (const Error& error) {
    EXPECT_FALSE(error.where().empty());
    return 0;
  }
}

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_contents(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TEST_F(RecordingTest, ATruncatedFileGivesThePrefixThatIsThere) {
  {
    RecordingWriter writer(file(), {{"process", "x"}});
    for (std::uint32_t i = 0; i < 200; ++i) {
      writer.append_publish(publish(i));
    }
    writer.close();
  }
  const std::string whole = contents_of(file());
  ASSERT_EQ(read_somehow(file()), 200u);
  std::uint64_t least = 0;
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 64) {
    write_contents(file("cut.rec"), std::string_view(whole).substr(0, bytes));
    const std::uint64_t records = read_somehow(file("cut.rec"));
    EXPECT_GE(records, least) << bytes;
    EXPECT_LE(records, 200u);
    least = records;
    if (bytes >= 4096) {
      const RecordingReader reader(file("cut.rec"));
      EXPECT_FALSE(reader.complete()) << bytes;
      EXPECT_NE(reader.damage(), "");
      expect_prefix(reader);
    }
  }
  EXPECT_EQ(least, 200u);
}

TEST_F(RecordingTest, GarbageNeverCrashesTheReader) {
  {
    RecordingWriter writer(file(), {{"process", "x"}});
    for (std::uint32_t i = 0; i < 50; ++i) {
      writer.append_publish(publish(i));
      writer.append_delivery(delivery(i));
      writer.append_event();
    }
    writer.close();
  }
  const std::string whole = contents_of(file());
  // Where damage can matter: the header, its JSON, and the headers of the chunks.
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 600; ++i) {
    places.push_back(i);
  }
  for (std::size_t at = whole.find("CHNK"); at != std::string::npos; at = whole.find("CHNK", at + 1)) {
    for (std::size_t i = 0; i < 64; ++i) {
      places.push_back(at + i);
    }
  }
  ASSERT_EQ(places.size(), 600u + 3 * 64);
  // Changed in place and put back: writing the whole file each time would be most of the test.
  write_contents(file("damaged.rec"), whole);
  std::fstream damaged(file("damaged.rec"), std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::size_t place, char byte) {
    damaged.seekp(static_cast<std::streamoff>(place));
    damaged.put(byte);
    damaged.flush();
  };
  for (const std::size_t place : places) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      put(place, static_cast<char>(whole[place] ^ flip));
      EXPECT_LE(read_somehow(file("damaged.rec")), whole.size() / 32);
    }
    put(place, whole[place]);
  }
  EXPECT_EQ(read_somehow(file("damaged.rec")), 150u);
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    for (int changes = 0; changes < 3; ++changes) {
      put(places[random.below(places.size())], static_cast<char>(random.below(256)));
    }
    read_somehow(file("damaged.rec"));
  }
  write_contents(file("noise.rec"), "");
  EXPECT_THROW(RecordingReader{file("noise.rec")}, Error);
  write_contents(file("noise.rec"), std::string(100000, '\0'));
  EXPECT_THROW(RecordingReader{file("noise.rec")}, Error);
  EXPECT_THROW(RecordingReader{folder_}, Error);
  EXPECT_THROW(RecordingReader{file("missing.rec")}, Error);
}

// Appends until the disk is full; the Error must come with path and remedy, and all records must be there
// after it.
void fill_up(const std::filesystem::path& path) {
  std::uint32_t appended = 0;
  {
    RecordingWriter writer(path, Json::object());
    try {
      for (; appended < 10'000'000; ++appended) {
        writer.append_publish(publish(appended));
      }
      FAIL() << "the disk never got full";
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), path.string());
      EXPECT_NE(error.remedy().find("free space"), std::string::npos) << error.what();
    }
    EXPECT_THROW(writer.append_publish(publish(0)), Error);
  }
  EXPECT_GT(appended, 1000u);
  const RecordingReader reader(path);
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.publishes(), appended);
}

TEST_F(RecordingTest, AFullDiskIsAnErrorAndLosesNothing) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can mount a small file system";
  }
  const auto mount_point = folder_ / "small";
  std::filesystem::create_directory(mount_point);
  if (::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=3m") != 0) {
    GTEST_SKIP() << "this root cannot mount a file system";
  }
  fill_up(mount_point / "a.rec");
  EXPECT_EQ(::umount(mount_point.c_str()), 0);
}

TEST_F(RecordingTest, ALimitOnFileSizeIsAnErrorAndLosesNothing) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 3 << 20;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  fill_up(file());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
}

TEST_F(RecordingTest, AFolderThatCannotBeWrittenIsAnError) {
  try {
    RecordingWriter writer(folder_ / "missing" / "a.rec", Json::object());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.where().find("missing"), std::string::npos);
    EXPECT_FALSE(error.remedy().empty());
  }
}

// What the kernel holds on disk for a file that has no name any more.
std::uintmax_t bytes_of_nameless(const std::filesystem::path& path) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    struct stat status {};
    if (target == path.string() + " (deleted)" && ::stat(entry.path().c_str(), &status) == 0) {
      bytes += static_cast<std::uintmax_t>(status.st_blocks) * 512;
    }
  }
  return bytes;
}

TEST_F(RecordingTest, OfWorkByHandOnlyRecentRecordsTakeSpace) {
  constexpr std::uint32_t kMany = 4'000'000;  // 128 MB
  RecordingWriter writer(file(), {{"process", "hand"}}, RecordingWriter::Keep::kRecent);
  PublishRecord& old = writer.append_publish(publish(0));
  for (std::uint32_t i = 1; i < kMany; ++i) writer.append_publish(publish(i));
  old.settled_ns = 1;  // late, but harmless
  const std::uintmax_t bytes = bytes_of_nameless(file());
  EXPECT_GT(bytes, 0U);
  EXPECT_LT(bytes, std::uintmax_t{48} << 20);
}

TEST_F(RecordingTest, ANewWriterLeavesTheOldFileToThoseWhoHaveItOpen) {
  RecordingWriter old(file(), {{"process", "old"}});
  PublishRecord& record = old.append_publish(publish(0));
  RecordingWriter fresh(file(), {{"process", "new"}});
  record.outcome = kConfirmed;  // would be a SIGBUS had the file been cut
  EXPECT_EQ(RecordingReader(file()).header()["process"], "new");
}

}  // namespace
}  // namespace brokerlab
