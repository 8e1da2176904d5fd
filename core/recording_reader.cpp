#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/recording.h"
#include "core/recording_format.h"

namespace brokerlab {
namespace format = recording_format;
namespace {

constexpr std::size_t kVisitBytes = std::size_t{256} << 10;
// No counter of a real process comes near: 9 PB, or 104 days of computing. Sums of hundreds of them still
// fit.
constexpr std::int64_t kLargestCounter = std::int64_t{1} << 53;
constexpr std::uint64_t kLargestJson = std::uint64_t{64} << 20;

}  // namespace

// The file is read, never mapped: a file that shrinks under a mapping is a SIGBUS, under a read only a short
// read.
class RecordingReader::File {
 public:
  explicit File(const std::filesystem::path& path);
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  template <class Record>
  void each(format::Kind kind, const std::function<void(std::span<const Record>)>& visit) const;
  template <class Record>
  std::function<std::span<const Record>()> pull(format::Kind kind) const;
  void each_with_detail(const std::function<void(const DeliveryRecord&, const DeliveryDetail*)>& visit) const;
  std::uint64_t records(format::Kind kind) const { return records_[kind]; }

  Json json;
  RecordingCounters counters{};
  bool complete = false;
  std::string damage;

 private:
  struct Chunk {
    format::Kind kind;
    std::uint64_t offset;  // of the first record
    std::uint64_t used;
  };
  template <class Record>
  class Cursor;

  void read_header();
  void check_counters();
  void take_stock();
  // Whether `header` at `offset` is a chunk; notes damage, and lowers `used` to what the file has.
  bool is_sound(format::ChunkHeader& header, std::uint64_t offset);
  void note(std::string what);
  std::size_t read_at(std::uint64_t offset, void* into, std::size_t bytes) const;
  [[noreturn]] void refuse(const std::string& reason) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t first_chunk_ = 0;
  std::vector<Chunk> chunks_;
  std::array<std::uint64_t, format::kKinds> records_{};
};

void RecordingReader::File::refuse(const std::string& reason) const {
  throw Error("not a recording that can be read: " + reason, path_.string(),
              "run the experiment again; recordings end in .rec and stand in the folder of their run");
}

void RecordingReader::File::note(std::string what) {
  if (damage.empty()) {
    damage = std::move(what);
  }
}

RecordingReader::File::File(const std::filesystem::path& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    refuse(std::strerror(errno));
  }
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      refuse("it is no file");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
    read_header();
    take_stock();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
  complete = complete && damage.empty();
}

std::size_t RecordingReader::File::read_at(std::uint64_t offset, void* into, std::size_t bytes) const {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(descriptor_, static_cast<std::byte*>(into) + done, bytes - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      refuse(std::strerror(errno));
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void RecordingReader::File::read_header() {
  format::FileHeader header{};
  if (read_at(0, &header, sizeof header) != sizeof header) {
    refuse("it is shorter than a header");
  }
  if (std::memcmp(header.magic, format::kMagic, sizeof format::kMagic) != 0) {
    refuse("it does not begin as one");
  }
  if (header.version != format::kVersion) {
    refuse(fmt::format("its format is version {}, this program knows {}", header.version, format::kVersion));
  }
  if (header.json_bytes > kLargestJson || header.json_bytes + format::kJsonOffset > size_ ||
      header.first_chunk < header.json_bytes + format::kJsonOffset) {
    refuse("its header is damaged");
  }
  std::string text(header.json_bytes, '\0');
  if (read_at(format::kJsonOffset, text.data(), text.size()) != text.size()) {
    refuse("its header is cut off");
  }
  try {
    json = parse_json(text, path_.string());
  } catch (const Error& error) {
    refuse("its header is damaged: " + error.summary());
  }
  if (!json.is_object()) {
    refuse("its header is damaged");
  }
  counters = header.counters;
  check_counters();
  first_chunk_ = header.first_chunk;
  complete = header.state == format::kComplete;
  if (header.state != format::kComplete && header.state != format::kOpen) {
    note("its state is unknown");
  }
  if (complete && size_ != header.file_bytes) {
    note(fmt::format("it has {} bytes instead of {}", size_, header.file_bytes));
  }
}

void RecordingReader::File::check_counters() {
  std::array<std::int64_t, sizeof(RecordingCounters) / sizeof(std::int64_t)> all;
  std::memcpy(all.data(), &counters, sizeof counters);
  if (std::all_of(all.begin(), all.end(), [](auto each) { return each >= 0 && each < kLargestCounter; }))
    return;
  note("its counters cannot be right");
  counters = {};
}

bool RecordingReader::File::is_sound(format::ChunkHeader& header, std::uint64_t offset) {
  const std::uint32_t record = format::record_bytes(header.kind);
  if (header.magic != format::kChunkMagic || record == 0 || header.record_bytes != record ||
      header.chunk_bytes < sizeof header || header.chunk_bytes > (std::uint64_t{1} << 40)) {
    note(fmt::format("no chunk begins at byte {}", offset));
    return false;
  }
  const std::uint64_t room = (header.chunk_bytes - sizeof header) / record;
  if (header.used > room) {
    note(fmt::format("the chunk at byte {} claims {} records where {} fit", offset, header.used, room));
    return false;
  }
  const std::uint64_t present = (size_ - offset - sizeof header) / record;
  if (header.used > present) {
    note(fmt::format("it is cut off within the chunk at byte {}", offset));
    header.used = present;
  }
  return true;
}

void RecordingReader::File::take_stock() {
  std::uint64_t offset = first_chunk_;
  while (offset < size_ && size_ - offset >= sizeof(format::ChunkHeader)) {
    format::ChunkHeader header{};
    if (read_at(offset, &header, sizeof header) != sizeof header) {
      break;
    }
    // The process died after it had taken space and before it had made a chunk of it.
    if (header.magic == 0 && !complete) {
      return;
    }
    if (!is_sound(header, offset)) {
      return;
    }
    const auto kind = static_cast<format::Kind>(header.kind);
    chunks_.push_back({kind, offset + sizeof header, header.used});
    records_[kind] += header.used;
    offset += header.chunk_bytes;
  }
  if (offset != size_) {
    note(fmt::format("it ends at byte {} instead of {}", size_, offset));
  }
}

// Goes through all records of one kind, some thousands of them in memory at a time. Any number of cursors may
// read one file.
template <class Record>
class RecordingReader::File::Cursor {
 public:
  Cursor(const File& file, format::Kind kind)
      : file_(file), kind_(kind), buffer_(kVisitBytes / sizeof(Record)) {}

  // The next ones; empty at the end.
  std::span<const Record> next() {
    for (; chunk_ < file_.chunks_.size(); ++chunk_, done_ = 0) {
      const Chunk& chunk = file_.chunks_[chunk_];
      if (chunk.kind != kind_ || done_ == chunk.used) continue;
      const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), chunk.used - done_);
      const std::size_t got =
          file_.read_at(chunk.offset + done_ * sizeof(Record), buffer_.data(), wanted * sizeof(Record)) /
          sizeof(Record);
      done_ += got;
      return {buffer_.data(), got};
    }
    return {};
  }

 private:
  const File& file_;
  format::Kind kind_;
  std::vector<Record> buffer_;
  std::size_t chunk_ = 0;
  std::uint64_t done_ = 0;  // of that chunk
};

template <class Record>
void RecordingReader::File::each(format::Kind kind,
                                 const std::function<void(std::span<const Record>)>& visit) const {
  Cursor<Record> cursor(*this, kind);
  for (auto records = cursor.next(); !records.empty(); records = cursor.next()) visit(records);
}

template <class Record>
std::function<std::span<const Record>()> RecordingReader::File::pull(format::Kind kind) const {
  return [cursor = std::make_shared<Cursor<Record>>(*this, kind)] { return cursor->next(); };
}

void RecordingReader::File::each_with_detail(
    const std::function<void(const DeliveryRecord&, const DeliveryDetail*)>& visit) const {
  Cursor<DeliveryDetail> cursor(*this, format::kDetails);
  auto details = cursor.next();
  std::uint64_t index = 0;
  each<DeliveryRecord>(format::kDeliveries, [&](std::span<const DeliveryRecord> records) {
    for (const DeliveryRecord& record : records) {
      while (!details.empty() && details.front().delivery < index) {
        details = details.subspan(1);
        if (details.empty()) details = cursor.next();
      }
      const bool has = !details.empty() && details.front().delivery == index;
      visit(record, has ? &details.front() : nullptr);
      ++index;
    }
  });
}

RecordingReader::RecordingReader(const std::filesystem::path& path) : file_(std::make_unique<File>(path)) {}
RecordingReader::~RecordingReader() = default;
RecordingReader::RecordingReader(RecordingReader&&) noexcept = default;
RecordingReader& RecordingReader::operator=(RecordingReader&&) noexcept = default;

const Json& RecordingReader::header() const { return file_->json; }
bool RecordingReader::complete() const { return file_->complete; }
const std::string& RecordingReader::damage() const { return file_->damage; }
const RecordingCounters& RecordingReader::counters() const { return file_->counters; }
std::uint64_t RecordingReader::publishes() const { return file_->records(format::kPublishes); }
std::uint64_t RecordingReader::deliveries() const { return file_->records(format::kDeliveries); }
std::uint64_t RecordingReader::events() const { return file_->records(format::kEvents); }
std::uint64_t RecordingReader::details() const { return file_->records(format::kDetails); }

void RecordingReader::each_publish(const std::function<void(std::span<const PublishRecord>)>& visit) const {
  file_->each(format::kPublishes, visit);
}
void RecordingReader::each_delivery(const std::function<void(std::span<const DeliveryRecord>)>& visit) const {
  file_->each(format::kDeliveries, visit);
}
void RecordingReader::each_event(const std::function<void(std::span<const EventRecord>)>& visit) const {
  file_->each(format::kEvents, visit);
}
void RecordingReader::each_detail(const std::function<void(std::span<const DeliveryDetail>)>& visit) const {
  file_->each(format::kDetails, visit);
}
std::function<std::span<const PublishRecord>()> RecordingReader::pull_publishes() const {
  return file_->pull<PublishRecord>(format::kPublishes);
}
std::function<std::span<const DeliveryRecord>()> RecordingReader::pull_deliveries() const {
  return file_->pull<DeliveryRecord>(format::kDeliveries);
}
void RecordingReader::each_delivery_and_detail(
    const std::function<void(const DeliveryRecord&, const DeliveryDetail*)>& visit) const {
  file_->each_with_detail(visit);
}

}  // namespace brokerlab
