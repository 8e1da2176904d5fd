#include "roles/opening.h"

namespace brokerlab {

void Opening::begin() {
  messages_ = behaviour_.opening();
  published_.clear();
  told_ = 0;
}

void Opening::go_on(const std::function<bool()>& writable,
                    const std::function<const PublishRecord&(const Outgoing&)>& publish) {
  while (published_.size() < messages_.size() && writable()) {
    published_.push_back(&publish(messages_[published_.size()]));
  }
}

void Opening::tell() {
  for (; told_ < published_.size() && published_[told_]->settled_ns != 0; ++told_) {
    const auto outcome = published_[told_]->outcome;
    behaviour_.settled(messages_[told_], (outcome & kConfirmed) != 0 && (outcome & kReturned) == 0);
  }
}

}  // namespace brokerlab
