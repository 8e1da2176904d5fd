#include "core/recording_tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "core/recording_format.h"

namespace brokerlab {
namespace format = recording_format;
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr std::uint64_t kMostPerLook = std::uint64_t{1} << 19;
constexpr std::size_t kMostAgainPerLook = std::size_t{1} << 17;
constexpr std::size_t kMostOpen = std::size_t{1} << 20;
// The words of a record are patched one after the other. What was patched so long before the read began is
// there with all that belongs to it.
constexpr Nanoseconds kPatchTime = 10'000'000;

bool is_over(const PublishRecord& record, Nanoseconds before) {
  if (record.outcome & kRefused) return true;
  if (record.outcome & kUnconfirmedByDesign) return record.written_ns != 0 && record.written_ns < before;
  return record.settled_ns != 0 && record.settled_ns < before;
}

bool is_over(const DeliveryRecord& record, Nanoseconds before) {
  if (static_cast<Settlement>(record.settlement) != Settlement::kAutomatic)
    return record.settled_ns != 0 && record.settled_ns < before;
  // Settled by being sent: it is over with its work.
  return (record.flags & (kIgnored | kUnreadable)) != 0 || (record.done_ns != 0 && record.done_ns < before);
}

void tell_first(RecordingTail::Listener& listener, const PublishRecord& record) {
  listener.on_publish(record);
}
void tell_first(RecordingTail::Listener& listener, const DeliveryRecord& record) {
  listener.on_delivery(record);
}
void tell_over(RecordingTail::Listener& listener, const PublishRecord& record) {
  listener.on_publish_over(record);
}
void tell_over(RecordingTail::Listener& listener, const DeliveryRecord& record) {
  listener.on_delivery_over(record);
}

}  // namespace

RecordingTail::~RecordingTail() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t RecordingTail::read_at(std::uint64_t offset, void* into, std::size_t bytes) const {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(descriptor_, static_cast<std::byte*>(into) + done, bytes - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

bool RecordingTail::open_file() {
  if (descriptor_ < 0) descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) return false;
  if (next_chunk_ != 0) return true;
  format::FileHeader header{};
  const bool whole = read_at(0, &header, sizeof header) == sizeof header;
  // The magic is what its writer writes last.
  if (!whole || std::memcmp(header.magic, format::kMagic, sizeof format::kMagic) != 0) return false;
  if (header.version != format::kVersion) return false;
  next_chunk_ = header.first_chunk;
  buffer_.resize(kReadBytes);
  return true;
}

void RecordingTail::find_chunks() {
  format::ChunkHeader header{};
  while (read_at(next_chunk_, &header, sizeof header) == sizeof header &&
         header.magic == format::kChunkMagic && header.chunk_bytes >= sizeof header) {
    Stream* stream = header.kind == format::kPublishes    ? &publishes_
                     : header.kind == format::kDeliveries ? &deliveries_
                                                          : nullptr;
    if (stream != nullptr) {
      // The chunk before it is full, so that its number of records changes no more.
      const std::uint64_t before =
          stream->chunks.empty() ? 0 : stream->chunks.back().before + used(stream->chunks.back());
      stream->chunks.push_back({next_chunk_, before});
    }
    next_chunk_ += header.chunk_bytes;
  }
}

std::uint64_t RecordingTail::used(const Chunk& chunk) const {
  std::uint64_t used = 0;
  read_at(chunk.offset + offsetof(format::ChunkHeader, used), &used, sizeof used);
  return used;
}

// Visits up to `count` records of one chunk from the one with this index among all; returns how many it could
// read.
template <class Record, class Visit>
std::uint64_t RecordingTail::read_records(const Stream& stream, std::uint64_t index, std::uint64_t count,
                                          Visit visit) {
  const auto after =
      std::upper_bound(stream.chunks.begin(), stream.chunks.end(), index,
                       [](std::uint64_t wanted, const Chunk& chunk) { return wanted < chunk.before; });
  const Chunk& chunk = *(after - 1);
  if (after != stream.chunks.end()) count = std::min(count, after->before - index);
  count = std::min<std::uint64_t>(count, buffer_.size() / sizeof(Record));
  const std::uint64_t offset =
      chunk.offset + sizeof(format::ChunkHeader) + (index - chunk.before) * sizeof(Record);
  const std::size_t got = read_at(offset, buffer_.data(), count * sizeof(Record)) / sizeof(Record);
  for (std::size_t i = 0; i < got; ++i) {
    Record record;
    std::memcpy(&record, buffer_.data() + i * sizeof(Record), sizeof(Record));
    visit(index + i, record);
  }
  return got;
}

template <class Record>
bool RecordingTail::read_new(Stream& stream, Nanoseconds over_before, Listener& listener) {
  if (stream.chunks.empty()) return true;
  const std::uint64_t total = stream.chunks.back().before + used(stream.chunks.back());
  const std::uint64_t end = std::min(total, stream.seen + kMostPerLook);
  while (stream.seen < end) {
    const std::uint64_t got = read_records<Record>(stream, stream.seen, end - stream.seen,
                                                   [&](std::uint64_t index, const Record& record) {
                                                     tell_first(listener, record);
                                                     if (is_over(record, over_before)) {
                                                       tell_over(listener, record);
                                                     } else if (stream.open.size() < kMostOpen) {
                                                       stream.open.push_back(index);
                                                     } else {
                                                       ++unfollowed_;
                                                     }
                                                   });
    if (got == 0) break;  // the file was cut
    stream.seen += got;
  }
  return end == total;
}

// Those that stay open go to the end: one that never ends must not keep others from being looked at.
template <class Record>
void RecordingTail::look_again(Stream& stream, Nanoseconds over_before, bool all, Listener& listener) {
  const std::size_t looks = all ? stream.open.size() : std::min(stream.open.size(), kMostAgainPerLook);
  std::vector<std::uint64_t> indices(stream.open.begin(),
                                     stream.open.begin() + static_cast<std::ptrdiff_t>(looks));
  stream.open.erase(stream.open.begin(), stream.open.begin() + static_cast<std::ptrdiff_t>(looks));
  std::sort(indices.begin(), indices.end());
  for (std::size_t i = 0; i < indices.size();) {
    // As many as lie within one read.
    const std::uint64_t first = indices[i];
    const auto last = std::lower_bound(indices.begin() + static_cast<std::ptrdiff_t>(i), indices.end(),
                                       first + kReadBytes / sizeof(Record));
    const std::uint64_t wanted = *(last - 1) - first + 1;
    const std::uint64_t got =
        read_records<Record>(stream, first, wanted, [&](std::uint64_t index, const Record& record) {
          if (i == indices.size() || indices[i] != index) return;
          ++i;
          if (is_over(record, over_before)) {
            tell_over(listener, record);
          } else {
            stream.open.push_back(index);
          }
        });
    if (got == 0) return;  // the file was cut
  }
}

bool RecordingTail::look(Nanoseconds now, bool ended, Listener& listener) {
  if (!open_file()) return true;
  find_chunks();
  const Nanoseconds over_before = ended ? std::numeric_limits<Nanoseconds>::max() : now - kPatchTime;
  look_again<PublishRecord>(publishes_, over_before, ended, listener);
  look_again<DeliveryRecord>(deliveries_, over_before, ended, listener);
  const bool publishes = read_new<PublishRecord>(publishes_, over_before, listener);
  const bool deliveries = read_new<DeliveryRecord>(deliveries_, over_before, listener);
  return publishes && deliveries;
}

}  // namespace brokerlab
