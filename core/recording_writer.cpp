#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/recording.h"
#include "core/recording_format.h"

namespace brokerlab {
namespace format = recording_format;
namespace {

constexpr std::size_t kFirstChunkBytes = std::size_t{256} << 10;
constexpr std::size_t kLargestChunkBytes = std::size_t{16} << 20;
// A chunk is handed out this much at a time. Its pages come one by one as they are touched; asking for them
// beforehand (MAP_POPULATE, MADV_POPULATE_WRITE) was measured to cost the same per record.
constexpr std::size_t kWindowBytes = std::size_t{256} << 10;
// How much of what was written stays in the process's resident memory, per kind of record. Older records can
// still be patched: their pages are in the kernel's cache and are mapped again at the touch.
constexpr std::size_t kResidentWindows = (std::size_t{8} << 20) / kWindowBytes;

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

std::size_t round_up(std::size_t bytes) { return (bytes + page_bytes() - 1) / page_bytes() * page_bytes(); }

}  // namespace

// The file, its mappings and its growth: the cold part of RecordingWriter.
class RecordingWriter::File {
 public:
  File(const std::filesystem::path& path, const Json& header, Keep keep);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  format::FileHeader& header() { return *header_; }
  // Gives `stream` the next window of its chunk, or a new chunk. Throws Error; the stream is unchanged then.
  void extend(Stream& stream, format::Kind kind);
  // Gives unused space back and unmaps everything; marks the file as complete or not.
  void close(bool complete);

 private:
  struct Chunk {
    std::byte* begin = nullptr;
    std::size_t bytes = 0;
    std::size_t offset = 0;
    format::ChunkHeader& header() const { return *reinterpret_cast<format::ChunkHeader*>(begin); }
    std::byte* records_end() const {
      return begin + sizeof(format::ChunkHeader) +
             (bytes - sizeof(format::ChunkHeader)) / header().record_bytes * header().record_bytes;
    }
  };

  std::byte* map(std::size_t offset, std::size_t bytes);
  void reserve(std::size_t bytes);
  Chunk add_chunk(format::Kind kind, std::size_t bytes);
  void open_window(Stream& stream, const Chunk& chunk, std::byte* from);
  void give_back(const Chunk& chunk);
  void forget(const Chunk& chunk);
  [[noreturn]] void fail(const std::string& doing, int error) const;

  std::filesystem::path path_;
  Keep keep_;
  int descriptor_ = -1;
  std::size_t file_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  format::FileHeader* header_ = nullptr;
  std::vector<Chunk> chunks_;
  // By Kind: the chunk that is being filled, and the windows kept in resident memory.
  std::array<Chunk, format::kKinds> current_;
  std::array<Chunk, format::kKinds> previous_;  // only where recent records alone are kept
  std::array<std::deque<std::span<std::byte>>, format::kKinds> resident_;
};

void RecordingWriter::File::fail(const std::string& doing, int error) const {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  throw Error("cannot " + doing + " the recording: " + std::strerror(error), path_.string(),
              full ? "free space on that disk, or choose another folder with --out"
                   : "choose a folder that can be written with --out");
}

RecordingWriter::File::File(const std::filesystem::path& path, const Json& header, Keep keep)
    : path_(path), keep_(keep) {
  const std::string json = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  // Never cut a file that is there: a process that still maps it would die of it.
  ::unlink(path.c_str());
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    fail("make", errno);
  }
  if (keep == Keep::kRecent) ::unlink(path.c_str());
  try {
    header_bytes_ = round_up(format::kJsonOffset + json.size());
    reserve(header_bytes_);
    std::byte* begin = map(0, header_bytes_);
    header_ = reinterpret_cast<format::FileHeader*>(begin);
    std::memcpy(begin + format::kJsonOffset, json.data(), json.size());
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
  header_->version = format::kVersion;
  header_->state = format::kOpen;
  header_->json_bytes = json.size();
  header_->first_chunk = header_bytes_;
  std::memcpy(header_->magic, format::kMagic, sizeof format::kMagic);
}

RecordingWriter::File::~File() { close(false); }

// Space is taken on disk before it is mapped: a write to a mapped page that finds the disk full is a SIGBUS.
void RecordingWriter::File::reserve(std::size_t bytes) {
  int error = EINTR;
  while (error == EINTR) {
    error = ::posix_fallocate(descriptor_, static_cast<off_t>(file_bytes_), static_cast<off_t>(bytes));
  }
  if (error != 0) {
    // Half an extension may have happened; a reader would take its zeros for the end anyway.
    [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, static_cast<off_t>(file_bytes_));
    fail("extend", error);
  }
  file_bytes_ += bytes;
}

std::byte* RecordingWriter::File::map(std::size_t offset, std::size_t bytes) {
  void* begin =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, static_cast<off_t>(offset));
  if (begin == MAP_FAILED) {
    fail("map", errno);
  }
  // One page per fault. Left to itself the kernel brings in up to 2 MiB at the first touch: 17 instead of 23
  // ns per publish, but the loop stands still for more than a millisecond each time, which a measuring loop
  // must not.
  ::madvise(begin, bytes, MADV_RANDOM);
  return static_cast<std::byte*>(begin);
}

RecordingWriter::File::Chunk RecordingWriter::File::add_chunk(format::Kind kind, std::size_t bytes) {
  Chunk chunk;
  chunk.offset = file_bytes_;
  chunk.bytes = round_up(bytes);
  reserve(chunk.bytes);
  chunk.begin = map(chunk.offset, chunk.bytes);
  chunks_.push_back(chunk);
  format::ChunkHeader& header = chunk.header();
  header.kind = kind;
  header.record_bytes = format::record_bytes(kind);
  header.chunk_bytes = chunk.bytes;
  std::atomic_ref<std::uint32_t>(header.magic).store(format::kChunkMagic, std::memory_order_release);
  return chunk;
}

void RecordingWriter::File::extend(Stream& stream, format::Kind kind) {
  Chunk& chunk = current_[kind];
  if (chunk.begin == nullptr || stream.cursor == chunk.records_end()) {
    // The last full chunk may hold records that are still patched; what lies before it, hardly.
    if (keep_ == Keep::kRecent) forget(std::exchange(previous_[kind], chunk));
    chunk = add_chunk(kind, std::clamp(2 * chunk.bytes, kFirstChunkBytes, kLargestChunkBytes));
    stream.before += stream.used != nullptr ? *stream.used : 0;
    stream.used = &chunk.header().used;
    stream.cursor = chunk.begin + sizeof(format::ChunkHeader);
  }
  open_window(stream, chunk, stream.cursor);
}

void RecordingWriter::File::open_window(Stream& stream, const Chunk& chunk, std::byte* from) {
  const std::size_t record = chunk.header().record_bytes;
  const auto left = static_cast<std::size_t>(chunk.records_end() - from);
  const std::size_t records = std::min(left, kWindowBytes) / record;
  stream.limit = from + records * record;
  const auto first = static_cast<std::size_t>(from - chunk.begin) / page_bytes() * page_bytes();
  const std::size_t last = round_up(static_cast<std::size_t>(stream.limit - chunk.begin));
  // Older windows leave this process (not the kernel's cache), so that hours of recording do not fill its
  // memory.
  auto& resident = resident_[chunk.header().kind];
  resident.push_back({chunk.begin + first, last - first});
  if (resident.size() > kResidentWindows) {
    ::madvise(resident.front().data(), resident.front().size(), MADV_DONTNEED);
    resident.pop_front();
  }
}

// Gives the space back. The mapping stays: a late patch touches a page of zeros that nobody reads.
void RecordingWriter::File::forget(const Chunk& chunk) {
  if (chunk.begin == nullptr) return;
  [[maybe_unused]] const int ignored =
      ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(chunk.offset),
                  static_cast<off_t>(chunk.bytes));
}

// The file's last chunk is cut behind its last record; in chunks before it a hole is made, which frees the
// disk.
void RecordingWriter::File::give_back(const Chunk& chunk) {
  const std::size_t used = sizeof(format::ChunkHeader) + chunk.header().used * chunk.header().record_bytes;
  const std::size_t kept = std::min(round_up(used), chunk.bytes);
  if (kept == chunk.bytes) {
    return;
  }
  if (chunk.offset + chunk.bytes == file_bytes_) {
    chunk.header().chunk_bytes = kept;
    file_bytes_ = chunk.offset + kept;
    [[maybe_unused]] const int ignored = ::ftruncate(descriptor_, static_cast<off_t>(file_bytes_));
  } else {
    // Where the file system cannot make holes, the space stays taken.
    [[maybe_unused]] const int ignored =
        ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(chunk.offset + kept), static_cast<off_t>(chunk.bytes - kept));
  }
}

void RecordingWriter::File::close(bool complete) {
  if (descriptor_ < 0) {
    return;
  }
  for (const Chunk& chunk : current_) {
    if (chunk.begin != nullptr) {
      give_back(chunk);
    }
  }
  if (complete) {
    header_->file_bytes = file_bytes_;
    std::atomic_ref<std::uint32_t>(header_->state).store(format::kComplete, std::memory_order_release);
  }
  for (const Chunk& chunk : chunks_) {
    ::munmap(chunk.begin, chunk.bytes);
  }
  ::munmap(header_, header_bytes_);
  chunks_.clear();
  current_ = {};
  ::close(std::exchange(descriptor_, -1));
}

RecordingWriter::RecordingWriter(const std::filesystem::path& path, const Json& header, Keep keep)
    : file_(std::make_unique<File>(path, header, keep)), counters_(&file_->header().counters) {}

RecordingWriter::~RecordingWriter() = default;

void RecordingWriter::extend(Stream& stream) {
  const format::Kind kind = &stream == &publishes_    ? format::kPublishes
                            : &stream == &deliveries_ ? format::kDeliveries
                            : &stream == &details_    ? format::kDetails
                                                      : format::kEvents;
  file_->extend(stream, kind);
}

void RecordingWriter::close() {
  if (counters_ == &final_counters_) {
    return;
  }
  final_counters_ = *counters_;
  counters_ = &final_counters_;
  publishes_ = deliveries_ = details_ = events_ = Stream{};
  file_->close(true);
}

}  // namespace brokerlab
