// What the processes of a team do together, one step at a time: the leader decides, and the others do the same.
//
// The leader runs the training loop (training_loop.h) with its clock, its validations and its files. Before each step
// that needs all processes it sends an order; the others follow orders until the last one (follow.h).
#pragma once

#include <cstdint>
#include <string>

#include "train/team/team.h"

namespace rapt {

struct Order {
  enum class Kind : std::int32_t {
    kBegin,     ///< a run: the text that describes it follows
    kUpdate,    ///< Trainer::update
    kCheck,     ///< Trainer::require_same_weights
    kEvaluate,  ///< Job::evaluate
    kSave,      ///< Trainer::whole_state
    kRunEnds,
    kEnd,  ///< of the program
  };
  Kind kind = Kind::kEnd;
  std::int32_t code = 0;    ///< exit code of kEnd
  double rate_factor = 1;   ///< TrainState::rate_factor of kUpdate
  std::int64_t tokens = 0;  ///< that kEvaluate reads; 0: all
};

class Orders final {
 public:
  /// Of a team of one: they reach nobody.
  Orders() = default;
  /// \param team  must outlive this
  explicit Orders(Team& team) : team_(&team) {}

  Team& team() { return *team_; }
  bool alone() const { return team_->size() == 1; }

  /// Sends the leader's order to all.
  void give(const Order& order) {
    acting_ = true;
    if (!alone()) team_->broadcast(order);
  }
  Order receive() { return team_->broadcast(Order{}); }
  /// The leader's part of its last order is done: the others wait for the next one.
  void done() { acting_ = false; }
  /// Whether the others are busy with an order, so that they would not hear another one.
  bool acting() const { return acting_; }

  /// After each update: everybody's signal, or 0. Returns the first that is not 0.
  int agree_on_signal(int mine) {
    for (const int signal : team_->gather(mine)) {
      if (signal != 0) return signal;
    }
    return 0;
  }

 private:
  Team* team_ = &Team::alone();
  bool acting_ = false;
};

}  // namespace rapt
