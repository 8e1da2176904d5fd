#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "experiments/fault.h"

namespace brokerlab {

// partition: nodes of our cluster refuse each other, by a wrong cookie for the peer and a cut connection.
// nullptr for any other kind.
std::unique_ptr<FaultEffect> make_partition_fault(const PlannedFault& fault, FaultTargets& targets);

// The links between `nodes` nodes that a partition cuts. "halves": the first half from the rest.
// "random-node": one drawn by `seed` from all others. "majorities-ring": each node still sees a majority, but
// no two the same one; of three nodes that cuts one link. Pure.
std::vector<std::pair<std::size_t, std::size_t>> links_cut(const std::string& shape, std::size_t nodes,
                                                           std::uint64_t seed);

}  // namespace brokerlab
