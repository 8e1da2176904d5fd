#include "roles/n_queens.h"

#include <string>

#include "core/error.h"

namespace brokerlab {
namespace {

// One row's view of the board: bit c of a mask is set where column c is attacked along that direction.
struct Attacked {
  std::uint32_t columns = 0, falling = 0, rising = 0;

  std::uint32_t free(std::uint32_t board) const { return board & ~(columns | falling | rising); }
  Attacked with(std::uint32_t queen) const {
    return {columns | queen, (falling | queen) << 1, (rising | queen) >> 1};
  }
};

std::uint64_t count_from(const Attacked& attacked, std::uint32_t board) {
  if (attacked.columns == board) return 1;
  std::uint64_t ways = 0;
  for (std::uint32_t free = attacked.free(board); free != 0; free &= free - 1) {
    ways += count_from(attacked.with(free & -free), board);
  }
  return ways;
}

void split_from(const Attacked& attacked, unsigned n, unsigned depth, QueensPlaced& placed,
                std::vector<QueensPlaced>& all) {
  if (placed.size() == depth) {
    all.push_back(placed);
    return;
  }
  const std::uint32_t free = attacked.free((1U << n) - 1);
  for (unsigned column = 0; column < n; ++column) {
    if ((free >> column & 1) == 0) continue;
    placed.push_back(column);
    split_from(attacked.with(1U << column), n, depth, placed, all);
    placed.pop_back();
  }
}

void check_board(unsigned n) {
  if (n >= 1 && n <= kMostQueens) return;
  throw Error("a board of " + std::to_string(n) + " columns", "n",
              "give a number from 1 to " + std::to_string(kMostQueens), ExitStatus::kUsage);
}

}  // namespace

std::uint64_t count_queens(unsigned n, std::span<const unsigned> first) {
  check_board(n);
  if (first.size() > n)
    throw Error("more queens are given than the board has rows", "first", "", ExitStatus::kUsage);
  const std::uint32_t board = (1U << n) - 1;
  Attacked attacked;
  for (const unsigned column : first) {
    if (column >= n) {
      throw Error("column " + std::to_string(column) + " is not on a board of " + std::to_string(n), "first",
                  "columns count from 0", ExitStatus::kUsage);
    }
    const std::uint32_t queen = 1U << column;
    if ((attacked.free(board) & queen) == 0) return 0;
    attacked = attacked.with(queen);
  }
  return count_from(attacked, board);
}

std::vector<QueensPlaced> split_queens(unsigned n, unsigned depth) {
  check_board(n);
  if (depth > n)
    throw Error("more queens are given than the board has rows", "depth", "", ExitStatus::kUsage);
  std::vector<QueensPlaced> all;
  QueensPlaced placed;
  split_from({}, n, depth, placed, all);
  return all;
}

}  // namespace brokerlab
