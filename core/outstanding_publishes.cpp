#include "core/outstanding_publishes.h"

namespace brokerlab {

void OutstandingPublishes::add(std::uint64_t number, PublishRecord& record) {
  if (limit_ != 0 && size_ == limit_) {
    take(first_);
    skip_settled();
  }
  if (size_ == 0) first_ = number;
  while (number - first_ >= ring_.size()) grow();
  next_ = number + 1;
  slot(number) = &record;
  ++size_;
}

PublishRecord* OutstandingPublishes::find(std::uint64_t number) const {
  return number >= first_ && number < next_ ? ring_[number & (ring_.size() - 1)] : nullptr;
}

PublishRecord* OutstandingPublishes::take(std::uint64_t number) {
  if (number < first_ || number >= next_) return nullptr;
  PublishRecord* record = slot(number);
  slot(number) = nullptr;
  size_ -= record != nullptr;
  return record;
}

void OutstandingPublishes::skip_settled() {
  while (first_ < next_ && slot(first_) == nullptr) ++first_;
}

void OutstandingPublishes::grow() {
  std::vector<PublishRecord*> larger(ring_.size() * 2);
  for (std::uint64_t n = first_; n < next_; ++n) larger[n & (larger.size() - 1)] = slot(n);
  ring_ = std::move(larger);
}

}  // namespace brokerlab
