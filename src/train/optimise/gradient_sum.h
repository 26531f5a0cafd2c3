// The gradient of an update that is cut into shards, on one process or several.
//
// Each shard's gradient is computed by itself. They are added in a binary tree: ((0 + 1) + (2 + 3)) + ... Its lower
// levels are inside a process, which has a run of consecutive shards; the upper ones are between processes. So the sum
// has the same bits on any number of processes.
//
// Between processes, each level halves the part of the gradient that a process still sums (recursive halving: Thakur,
// Rabenseifner, Gropp 2005, "Optimization of Collective Communication Operations in MPICH", section 4.2). In the end,
// every process has the sum of its own part, updates these weights, and the parts are collected the same way back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "train/optimise/parameters.h"
#include "train/team/team.h"

namespace rapt {

/// Consecutive elements of one parameter.
struct ParameterPiece {
  std::size_t entry = 0;
  Dim begin = 0, end = 0;  ///< within the parameter
};

/// The trained parameters, cut into pieces of fixed size, and who owns which of them.
class ParameterShares final {
 public:
  /// Pieces [first, last) of all.
  struct Run {
    std::size_t first = 0, last = 0;
  };

  ParameterShares(const FlatParameters& parameters, int rank, int size);

  const std::vector<ParameterPiece>& pieces() const { return pieces_; }
  int processes() const { return size_; }
  /// What a process of this rank owns.
  Run owned(int rank) const { return run(rank, size_); }
  Run owned() const { return owned(rank_); }
  /// What it sums after the level at which partners are `distance` ranks apart; 0: everything.
  Run kept(int distance) const { return run(rank_, 2 * distance); }
  /// What it gives to its partner at that level.
  Run given(int distance) const { return run(rank_ ^ distance, 2 * distance); }
  /// The elements of a run in the flat buffers.
  Dim begin(Run run) const;
  Dim end(Run run) const;

 private:
  Run run(int rank, int shares) const;

  const FlatParameters& parameters_;
  std::vector<ParameterPiece> pieces_;
  int rank_ = 0, size_ = 1;
};

/// Adds gradients of shards, in order, inside a process.
class ShardTree final {
 public:
  explicit ShardTree(FlatParameters& parameters) : parameters_(parameters) {}

  /// Takes the gradients of a shard, which is not the last one, out of the parameters. At most log2(shards) + 1 are
  /// kept at a time.
  void add_shard();
  /// Adds the other shards to the gradient of one parameter, which the last shard has. \pre all shards together are a
  /// power of two
  void complete(std::size_t entry);

 private:
  FlatParameters& parameters_;
  std::vector<std::vector<Tensor>> sums_;  // of 2^level shards each, the largest first
  std::size_t shards_ = 0;
};

/// Adds the gradients of all processes, each as soon as it is complete. Afterwards, each process has the sum of what it
/// owns; the rest of its gradient is undefined.
class TeamSum final {
 public:
  TeamSum(FlatParameters& parameters, const ParameterShares& shares, Team& team);

  /// Begins to add this gradient, which is complete in this process, and moves on with the others.
  void begin(std::size_t entry);
  /// Waits for the rest. \pre all trained entries have begun
  void finish();

 private:
  // Elements of one parameter with one owner: a message.
  struct Part {
    std::size_t entry = 0;
    Dim begin = 0, end = 0;
    int owner = 0;
    int distance = 0;  // of the partner with which it is; 0: it has not begun
    int request = -1;  // the number of its message; -1: it waits for room
    Tensor received;
  };
  void advance();
  bool move(std::size_t index);
  bool is_owned(const Part& part) const;

  FlatParameters& parameters_;
  Team& team_;
  std::vector<Part> parts_;
  std::vector<std::size_t> open_;  // parts that have begun and are not done
  int receiving_ = 0;
};

/// Collects values of the flat buffer `buffer`, of which each process has what it owns.
void collect_from_team(Tensor& buffer, const ParameterShares& shares, Team& team);

/// The whole of a flat buffer of which each process has what it owns: for the leader, and empty for the others.
Tensor whole_for_leader(Tensor& owned, const ParameterShares& shares, Team& team);

/// The hash (XXH3) of each process's part of the weights, as they are in this process.
std::vector<std::uint64_t> hash_parts(Tensor& weights, const ParameterShares& shares);

/// A process whose copy of a part of the weights is not what the owner of the part computed.
struct Disagreement {
  int rank = 0, owner = 0;
};
/// \param hashes  hash_parts of each process, by rank
std::optional<Disagreement> find_disagreement(const std::vector<std::vector<std::uint64_t>>& hashes);

/// The L2 norm of the gradients, of which each process has what it owns: in double, with the bits that one process
/// gets. Not finite if any gradient is not.
double gradient_norm(const FlatParameters& parameters, const ParameterShares& shares, Team& team);
/// The same for a process that has all of them.
double gradient_norm(const FlatParameters& parameters);

/// The sum of the shards' values, in the tree of their gradients. \pre their number is a power of two
double tree_sum(std::vector<double> values);

}  // namespace rapt
