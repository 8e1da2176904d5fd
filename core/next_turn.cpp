#include "core/next_turn.h"

#include <utility>

namespace brokerlab {

// Outlives the NextTurn until the loop has closed the handle.
struct NextTurn::State {
  uv_idle_t idle{};
  std::function<void()> on_turn;
};

NextTurn::NextTurn(uv_loop_t* loop, std::function<void()> on_turn) : state_(new State) {
  state_->on_turn = std::move(on_turn);
  uv_idle_init(loop, &state_->idle);
  state_->idle.data = state_;
}

NextTurn::~NextTurn() { close(); }

void NextTurn::ask() {
  if (state_ == nullptr) return;
  uv_idle_start(&state_->idle, [](uv_idle_t* idle) {
    uv_idle_stop(idle);
    static_cast<State*>(idle->data)->on_turn();
  });
}

void NextTurn::cancel() {
  if (state_ != nullptr) uv_idle_stop(&state_->idle);
}

void NextTurn::close() {
  State* state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&state->idle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

}  // namespace brokerlab
