#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/recording.h"

namespace brokerlab::recording_format {

// The bytes of a recording, shared by its writer and its reader and specified in docs/recording.md. Numbers
// are little endian, which is also how this host keeps them: the structures below are the file.
static_assert(std::endian::native == std::endian::little);

inline constexpr char kMagic[8] = {'B', 'L', 'A', 'B', 'R', 'E', 'C', '1'};
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint32_t kChunkMagic = 0x4b4e4843;  // "CHNK"
inline constexpr std::uint32_t kOpen = 1;
inline constexpr std::uint32_t kComplete = 2;

enum Kind : std::uint32_t { kPublishes = 1, kDeliveries = 2, kEvents = 3, kDetails = 4 };
inline constexpr std::size_t kKinds = 5;  // one more than the largest: kinds are indices

struct FileHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t state;        // kOpen, kComplete
  std::uint64_t json_bytes;   // length of the JSON header at kJsonOffset
  std::uint64_t first_chunk;  // offset of the first chunk
  std::uint64_t file_bytes;   // length of the whole file; written with kComplete
  std::uint8_t reserved[216];
  RecordingCounters counters;
};
static_assert(sizeof(RecordingCounters) == 256);
static_assert(offsetof(FileHeader, counters) == 256);
inline constexpr std::size_t kJsonOffset = sizeof(FileHeader);
static_assert(kJsonOffset == 512);

struct ChunkHeader {
  std::uint32_t magic;         // written last: a chunk without it does not exist
  std::uint32_t kind;          // Kind
  std::uint32_t record_bytes;  // size of one record
  std::uint32_t reserved;
  std::uint64_t chunk_bytes;  // from this header to the next
  std::uint64_t used;         // records appended, published after each append
  std::uint8_t reserved_too[32];
};
static_assert(sizeof(ChunkHeader) == 64);

constexpr std::uint32_t record_bytes(std::uint32_t kind) {
  switch (kind) {
    case kPublishes:
      return sizeof(PublishRecord);
    case kDeliveries:
      return sizeof(DeliveryRecord);
    case kEvents:
      return sizeof(EventRecord);
    case kDetails:
      return sizeof(DeliveryDetail);
    default:
      return 0;
  }
}

}  // namespace brokerlab::recording_format
