// The processes that train a model together. A run by itself is a team of one, for which nothing here does anything.
//
// Everything is built from one step: two processes exchange bytes. Teams are powers of two, so sums follow a binary
// tree whose shape does not depend on the number of processes (optimise/gradient_sum.h).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "train/team/transport.h"

namespace rapt {

class Team final {
 public:
  /// A team of one.
  Team() = default;
  static Team& alone() {
    static Team one;
    return one;
  }
  /// The team that the launcher started; a team of one without a launcher.
  /// \param patience  seconds after which a process that has not been heard of counts as lost
  /// \throws UsageError  if rapt was built without MPI, or the number of processes is not a power of two
  static Team launched(double patience);

  int rank() const { return transport_ == nullptr ? 0 : transport_->rank(); }
  int size() const { return transport_ == nullptr ? 1 : transport_->size(); }
  /// Rank 0 owns the folder, the log and all files, and decides.
  bool leads() const { return rank() == 0; }

  /// Sends to one other process and receives from it (transport.h).
  void exchange(int partner, std::span<const std::byte> out, std::span<std::byte> in);

  /// Messages that are on their way while something else is done (transport.h). \pre not a team of one
  Transport& transport() { return *transport_; }

  /// Everybody's value, by rank.
  template <typename T>
  requires std::is_trivially_copyable_v<T> std::vector<T> gather(const T& mine) {
    std::vector<T> all(static_cast<std::size_t>(size()));
    all[static_cast<std::size_t>(rank())] = mine;
    gather_bytes(all.data(), sizeof(T));
    return all;
  }
  std::vector<std::string> gather(const std::string& mine);
  /// Everybody's texts, one of each in turn: item i of rank r is item i size() + r of the result.
  std::vector<std::string> gather_in_turn(const std::vector<std::string>& mine);

  /// The leader's value, for everybody.
  template <typename T>
  requires std::is_trivially_copyable_v<T> T broadcast(T value) {
    broadcast_bytes(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  std::string broadcast(std::string text);

  /// Members on this node that may run on the same processors as this one, with itself.
  int sharing_processors();

  /// "rank 3 (host)" of the members of a team; "" in a team of one.
  const std::string& name(int rank) const;

  /// Bytes per second that this process can send to others while it receives as much: of its partners in sums, the
  /// slowest. All processes must measure at the same time, for about a second. \pre not a team of one
  double measure_rate();

  double seconds_waited() const { return transport_ == nullptr ? 0 : transport_->seconds_waited(); }
  double bytes_sent() const { return transport_ == nullptr ? 0 : transport_->bytes_sent(); }

  /// Ends all processes of the team with this exit code; returns if there are no others.
  void abort(int code);

 private:
  void gather_bytes(void* all, std::size_t bytes);
  void broadcast_bytes(std::span<std::byte> bytes);

  std::unique_ptr<Transport> transport_;
  std::vector<std::string> names_;
};

}  // namespace rapt
