#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace brokerlab::amqp {

// Bytes appended in place. Unlike std::vector it does not zero what is about to be overwritten, which would
// cost as much as the message's own copy.
class ByteBuffer {
 public:
  // Room for `bytes` more; valid until the next call.
  std::byte* reserve(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return bytes_.get() + size_;
  }
  void commit(std::size_t bytes) { size_ += bytes; }
  void append(std::span<const std::byte> from) {
    if (from.empty()) return;
    std::memcpy(reserve(from.size()), from.data(), from.size());
    commit(from.size());
  }

  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }
  // clear() that gives memory back when it grew beyond `keep_bytes`, e.g. after one huge message.
  void clear_keeping(std::size_t keep_bytes) {
    size_ = 0;
    if (capacity_ > keep_bytes) {
      bytes_.reset();
      capacity_ = 0;
    }
  }
  void swap(ByteBuffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  void grow(std::size_t bytes) {
    std::size_t capacity = capacity_ == 0 ? 4096 : capacity_;
    while (capacity - size_ < bytes) capacity *= 2;
    auto* memory = static_cast<std::byte*>(std::realloc(bytes_.get(), capacity));
    if (memory == nullptr) throw std::bad_alloc();
    static_cast<void>(bytes_.release());  // realloc has freed it
    bytes_.reset(memory);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace brokerlab::amqp
