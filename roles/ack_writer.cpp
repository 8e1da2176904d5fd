#include "roles/ack_writer.h"

namespace brokerlab {

AckWriter::AckWriter(uv_loop_t* loop, const Clock& clock, const ConsumeSpec& spec)
    : clock_(clock),
      mode_(spec.ack),
      batch_limit_(spec.batch_limit()),
      transaction_(spec.transaction),
      idle_timer_(loop, [this] { on_idle(); }) {}

void AckWriter::note(DeliveryRecord& record, Settlement settlement) const {
  record.settled_ns = clock_.now();
  record.settlement = static_cast<std::uint8_t>(settlement);
}

void AckWriter::settle(DeliveryRecord& record, std::uint64_t tag, Settlement settlement) {
  if (mode_ == AckMode::kAuto) return;
  if (settlement != Settlement::kAcked) {
    if (channel_->reject(tag, settlement == Settlement::kRequeued)) note(record, settlement);
    return count();
  }
  if (batch_limit_ == 1) {
    if (channel_->ack(tag)) note(record, settlement);
    return count();
  }
  batch_.push_back(&record);
  last_tag_ = tag;
  last_added_ns_ = clock_.now();
  if (batch_.size() >= batch_limit_) return flush();
  if (batch_.size() == 1) idle_timer_.set(last_added_ns_ + kIdle);
}

void AckWriter::count() {
  if (transaction_ == 0) return;
  if (++uncommitted_ >= transaction_) return commit();
  last_added_ns_ = clock_.now();
  if (uncommitted_ == 1) idle_timer_.set(last_added_ns_ + kIdle);
}

void AckWriter::commit() {
  if (uncommitted_ == 0) return;
  uncommitted_ = 0;
  channel_->tx_commit(nullptr);
}

void AckWriter::flush() {
  if (batch_.empty()) return commit();
  if (channel_->ack(last_tag_, true)) {
    for (DeliveryRecord* record : batch_) note(*record, Settlement::kAcked);
  }
  batch_.clear();
  idle_timer_.cancel();
  ++uncommitted_;
  if (transaction_ > 0) commit();
  uncommitted_ = 0;
}

void AckWriter::forget() {
  batch_.clear();
  uncommitted_ = 0;
  idle_timer_.cancel();
}

void AckWriter::on_idle() {
  if (clock_.now() - last_added_ns_ >= kIdle) return flush();
  idle_timer_.set(last_added_ns_ + kIdle);
}

}  // namespace brokerlab
