// Bytes between the processes of a team, over MPI. Only this header's .cpp includes mpi.h; without MPI at build time,
// it has nothing to offer.
//
// A process that ends or stops is noticed while another waits for it: processes on the same node are looked up, and
// every process tells all others twice a second that it is there. A long save or a long validation therefore is not
// taken for an absence.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "tensor/error.h"

namespace rapt {

/// Another process of the team has ended, or does not answer.
using PeerLostError = CodedError<80>;

class Transport final {
 public:
  /// Whether rapt was built with MPI.
  static bool available();

  /// Starts MPI. One object may exist in a process.
  /// \param patience  seconds after which a process that has not been heard of counts as lost
  /// \throws IoError  if MPI does not start
  explicit Transport(double patience);
  /// Waits for all processes and ends MPI. After an error, call abort() instead.
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int rank() const;
  int size() const;

  /// Begin to send or to receive up to kMessage bytes, which must stay where they are until done(request). `tag` pairs
  /// both sides. Return the number of the request.
  int begin_send(int partner, int tag, const void* bytes, std::size_t size);
  int begin_receive(int partner, int tag, void* bytes, std::size_t size);
  /// Whether a request is done, which then no longer exists.
  /// \throws IoError  if another number of bytes has arrived
  bool done(int request);
  /// To be called between questions whether something is done: gives others the core for a moment, and looks after them
  /// from time to time. \param waits  how often it was called in this wait
  /// \throws PeerLostError  if a process of the team has ended or is not heard of
  void rest(std::int64_t waits);

  static constexpr std::size_t kMessage = std::size_t{1} << 28;  ///< MPI counts in int

  /// Sends bytes to another process and receives bytes from it, which it must send; 0 bytes are no message.
  /// \throws PeerLostError, IoError  as above
  void exchange(int partner, const void* out, std::size_t out_bytes, void* in, std::size_t in_bytes);

  /// Adds a wait to seconds_waited().
  void waited_since(std::chrono::steady_clock::time_point start);
  /// Waiting for others, and bytes sent, since the start.
  double seconds_waited() const;
  double bytes_sent() const;

  /// Ends all processes of the team with this exit code.
  [[noreturn]] void abort(int code);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> mpi_;
};

}  // namespace rapt
