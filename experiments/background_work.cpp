#include "experiments/background_work.h"

#include <utility>

namespace brokerlab {

// The pool's thread writes `value` and `error` before `done`, the loop's callback, is called.
struct BackgroundWork::State {
  uv_work_t request{};
  std::function<std::string()> work;
  std::string value;
  std::optional<Error> error;
  bool done = false;
  bool abandoned = false;
};

BackgroundWork::~BackgroundWork() {
  if (state_ == nullptr) return;
  if (state_->done) {
    delete state_;
  } else {
    state_->abandoned = true;  // its last callback deletes it
  }
}

void BackgroundWork::begin(std::function<std::string()> work) {
  delete state_;
  state_ = new State;
  state_->work = std::move(work);
  state_->request.data = state_;
  uv_queue_work(
      loop_, &state_->request,
      [](uv_work_t* request) {
        auto* state = static_cast<State*>(request->data);
        try {
          state->value = state->work();
        } catch (const Error& error) {
          state->error = error;
        } catch (const std::exception& error) {
          state->error = Error(error.what(), "", "");
        }
      },
      [](uv_work_t* request, int) {
        auto* state = static_cast<State*>(request->data);
        state->done = true;
        if (state->abandoned) delete state;
      });
}

std::optional<std::string> BackgroundWork::result() const {
  if (state_ == nullptr || !state_->done) return std::nullopt;
  if (state_->error) throw Error(*state_->error);
  return state_->value;
}

}  // namespace brokerlab
