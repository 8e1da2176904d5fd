#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// A recording is the raw, append-only record of one process: framed chunks of fixed-size records in a
// memory-mapped file. Pages of a shared mapping belong to the kernel, so whatever was written survives
// SIGKILL of the process. All derived numbers are computed later from these records (analysis/summary.h);
// nothing is aggregated away here. The byte format is specified in docs/recording.md.

// One publish. Written when the message is handed to the transport, patched in place when its outcome is
// known.
struct PublishRecord {
  Nanoseconds intended_ns;
  Nanoseconds sent_ns;      // write start
  Nanoseconds settled_ns;   // 0 until confirmed or nacked
  std::uint32_t sequence;   // per publisher; a run with 2^32 messages of one publisher is refused by the plan
  std::uint16_t publisher;  // index into the header's "publishers" array
  std::uint8_t route;    // index into the header's "routes" array; kRouteUnlisted when the key is not listed
  std::uint8_t outcome;  // bits of PublishOutcome; 0 = undecided ("info")
  Nanoseconds written_ns = 0;  // write end: the kernel had taken the last byte; 0: it never did
};
static_assert(sizeof(PublishRecord) == 40);

enum PublishOutcome : std::uint8_t {
  kConfirmed = 1,
  kNacked = 2,
  kReturned = 4,              // basic.return: unroutable
  kRefused = 8,               // never handed to the broker
  kUnconfirmedByDesign = 16,  // published on a channel without confirms
};
inline constexpr std::uint8_t kRouteUnlisted = 255;

// One delivery. Appended when received, patched as the work goes on; a zero time means "did not happen".
struct DeliveryRecord {
  Nanoseconds intended_ns;  // from the stamp
  Nanoseconds sent_ns;      // from the stamp
  Nanoseconds received_ns;
  Nanoseconds started_ns;
  Nanoseconds done_ns;
  Nanoseconds settled_ns;   // ack, nack or reject written; for automatic acknowledgement equal to received_ns
  std::uint32_t publisher;  // from the stamp: unique within the run
  std::uint32_t sequence;
  std::uint16_t consumer;  // index into the header's "consumers" array
  std::uint16_t queue;     // index into the header's "queues" array
  std::uint32_t body_bytes;
  std::uint8_t flags;       // bits of DeliveryFlag
  std::uint8_t settlement;  // Settlement
  std::uint16_t hops;
  // Of a message that was dead-lettered before it came here: why it was the last time (DeathReason), how
  // often in all (255: or more), and from where: the low 16 bits of key_hash() of the queue's name, which are
  // to tell apart the few queues that the message can have been in.
  std::uint8_t death;
  std::uint8_t deaths;
  std::uint16_t death_queue;
};
static_assert(sizeof(DeliveryRecord) == 72);

enum class DeathReason : std::uint8_t { kNone, kRejected, kExpired, kMaxLength, kDeliveryLimit, kOther };
inline constexpr std::size_t kDeathReasons = 6;
// As the broker writes it in x-death: "rejected", "expired", "maxlen", "delivery_limit"; "other".
std::string_view to_text(DeathReason reason);
DeathReason death_reason(std::string_view text);

// What only some deliveries have. Appended right after its DeliveryRecord: where the message was caused by
// another one, or where the role records routing keys. Kept apart so that plain deliveries stay as small and
// as cheap as they are.
struct DeliveryDetail {
  static constexpr std::uint32_t kNoOrigin = UINT32_MAX;

  std::uint64_t delivery;          // index among this recording's deliveries, from 0
  Nanoseconds origin_intended_ns;  // of the message that started it all
  std::uint32_t origin_publisher;  // kNoOrigin: the message was caused by none
  std::uint32_t origin_sequence;
  std::uint64_t key_hash;  // key_hash() of the routing key; 0 when it was not asked for
};
static_assert(sizeof(DeliveryDetail) == 32);

enum DeliveryFlag : std::uint8_t {
  kRedelivered = 1,
  kIgnored = 2,      // the role's `when` did not match
  kUnstamped = 4,    // published by somebody else
  kUnreadable = 8,   // body was not what the role expects
  kForeignRun = 16,  // stamped by another run
  kHopLimited = 32,  // acted upon, but not published on: it had passed through as many roles as allowed
  kCorrupted = 64,   // verified, and not the bytes that were sent
  kVerified = 128,   // the body was compared with the checksum that it brought along
};
enum class Settlement : std::uint8_t { kNone, kAutomatic, kAcked, kRequeued, kRejected };

// Something that happened to a connection or a process, with its interval.
struct EventRecord {
  Nanoseconds at_ns;
  Nanoseconds ended_ns;  // equal to at_ns for a moment, 0 while it still lasts
  std::uint32_t kind;    // EventKind
  std::uint32_t instance;
  std::int64_t value;
};
static_assert(sizeof(EventRecord) == 32);

enum class EventKind : std::uint32_t {
  kConnectionBlocked = 1,
  kReconnect = 2,  // the interval without a connection
  kHeartbeatClose = 3,
  kWriteBlocked = 4,      // the socket took no more bytes
  kConfirmWindowHit = 5,  // the publisher waited for confirms
  kLoopStall = 6,         // value: how late the loop was, in ns
  kHiccup = 7,            // value: overshoot of a sleep on the control thread, in ns
  kConsumerCancelled = 8,
  kChannelError = 9,
  kConsuming = 10,    // the consumer got its consume-ok
  kLateCatchUp = 11,  // value: messages sent late in one turn
};

// Counters kept in the mapped header, updated in place by the owning process.
struct RecordingCounters {
  std::int64_t bytes_out, bytes_in, frames_out, frames_in, messages_out, messages_in;
  std::int64_t writes, reads;
  std::int64_t cpu_user_ns, cpu_system_ns;  // of the process, refreshed with each progress line
  std::int64_t scheduled;                   // messages whose intended time has come
  std::int64_t resident_bytes;
  std::int64_t reserved[20];
};

// Writes one recording. One loop, one thread; references returned by append stay valid until close().
// A record counts as appended, for a reader of the file of a killed process too, once append has returned;
// therefore what is known of it is passed to append, and only what is learnt later is patched through the
// reference. Throws Error when the disk is full or the file cannot be made: the caller stops its load and
// says so.
class RecordingWriter {
 public:
  // `header` describes the process: {"process", "run", "publishers":[…], "routes":[…], "consumers":[…],
  // "queues":[…]}. Replaces a file that is already there.
  enum class Keep {
    kAll,
    // Nobody will read it (work by hand, for weeks perhaps): the file has no name, and the space of records
    // older than some hundred thousand is given back.
    kRecent,
  };
  RecordingWriter(const std::filesystem::path& path, const Json& header, Keep keep = Keep::kAll);
  ~RecordingWriter();  // as close(), but without the mark: an unwinding writer is no complete recording
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  PublishRecord& append_publish(const PublishRecord& record = {}) { return append(publishes_, record); }
  DeliveryRecord& append_delivery(const DeliveryRecord& record = {}) { return append(deliveries_, record); }
  // Of the delivery appended last, whose index is filled in.
  DeliveryDetail& append_detail(DeliveryDetail detail) {
    detail.delivery = deliveries_.before + *deliveries_.used - 1;
    return append(details_, detail);
  }
  EventRecord& append_event(const EventRecord& record = {}) { return append(events_, record); }
  // In the mapped file, updated in place; after close() a copy that goes nowhere.
  RecordingCounters& counters() { return *counters_; }

  // Marks the recording complete and gives unused space back; nothing may be appended or patched after it. A
  // recording without that mark came from a process that died. A second call does nothing.
  void close();

 private:
  // Where the next record of one kind goes. `limit` is the end of the space that is reserved on disk and
  // mapped, so that the common append is a copy and two stores.
  struct Stream {
    std::byte* cursor = nullptr;
    std::byte* limit = nullptr;
    std::uint64_t* used = nullptr;  // the chunk's published number of records, in the mapped file
    std::uint64_t before = 0;       // records in the chunks before this one
  };

  template <class Record>
  Record& append(Stream& stream, const Record& record) {
    if (stream.cursor == stream.limit) [[unlikely]] {
      extend(stream);
    }
    auto* appended = ::new (stream.cursor) Record(record);
    stream.cursor += sizeof(Record);
    // The process may be killed between any two instructions: the record must be whole before it is counted.
    std::atomic_ref<std::uint64_t> used(*stream.used);
    used.store(used.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    return *appended;
  }
  void extend(Stream& stream);

  class File;
  std::unique_ptr<File> file_;
  RecordingCounters final_counters_{};
  RecordingCounters* counters_;
  Stream publishes_, deliveries_, details_, events_;
};

// Reads a recording chunk by chunk with bounded memory, also one whose process died in mid-write: what was
// appended up to then is a valid prefix. Damaged files give an Error, or the records before the damage and a
// reason in damage(). Takes stock of the chunks when it is made; records appended after that are not seen.
// Any thread.
class RecordingReader {
 public:
  // Throws Error when the file cannot be read or is no recording.
  explicit RecordingReader(const std::filesystem::path& path);
  ~RecordingReader();
  RecordingReader(RecordingReader&&) noexcept;
  RecordingReader& operator=(RecordingReader&&) noexcept;

  const Json& header() const;
  bool complete() const;              // closed by its process, and all of it is here
  const std::string& damage() const;  // what is wrong with the file; "" when nothing is
  const RecordingCounters& counters() const;
  std::uint64_t publishes() const;  // how many records each_publish will visit
  std::uint64_t deliveries() const;
  std::uint64_t events() const;
  std::uint64_t details() const;
  // Visits all records of a kind in the order in which they were appended, some thousands at a time.
  void each_publish(const std::function<void(std::span<const PublishRecord>)>& visit) const;
  void each_delivery(const std::function<void(std::span<const DeliveryRecord>)>& visit) const;
  void each_event(const std::function<void(std::span<const EventRecord>)>& visit) const;
  // In the order of the deliveries they belong to.
  void each_detail(const std::function<void(std::span<const DeliveryDetail>)>& visit) const;
  // Every delivery with its detail; null where it has none.
  void each_delivery_and_detail(
      const std::function<void(const DeliveryRecord&, const DeliveryDetail*)>& visit) const;

  // The same records for a caller who reads several recordings side by side: each call gives the next ones,
  // which are valid until the next call; empty at the end. Must not outlive the reader.
  std::function<std::span<const PublishRecord>()> pull_publishes() const;
  std::function<std::span<const DeliveryRecord>()> pull_deliveries() const;

 private:
  class File;
  std::unique_ptr<File> file_;
};

}  // namespace brokerlab
