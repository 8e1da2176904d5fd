#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace brokerlab {

// Where the queens of the first rows stand: a column, from 0, for each row in turn.
using QueensPlaced = std::vector<unsigned>;

// Beyond this one sub-problem keeps a core busy for minutes.
inline constexpr unsigned kMostQueens = 16;

// How many ways there are to place n queens on a board of n by n so that none attacks another, with the first
// ones given; 0 where those attack each other already. Pure; n from 1 to kMostQueens, columns below n, at
// most n of them: else Error (kUsage).
std::uint64_t count_queens(unsigned n, std::span<const unsigned> first);

// Every safe placement of the first `depth` queens, in lexical order: sub-problems whose counts add up to the
// count of the whole board. Some take much longer than others.
std::vector<QueensPlaced> split_queens(unsigned n, unsigned depth);

}  // namespace brokerlab
