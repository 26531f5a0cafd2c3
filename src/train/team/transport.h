// Bytes between the processes of a team, over MPI. Only this header's .cpp includes mpi.h; without MPI at build time,
// it has nothing to offer.
//
// A process that ends or stops is noticed while another waits for it: processes on the same node are looked up, and
// every process tells all others twice a second that it is there. A long save or a long validation therefore is not
// taken for an absence.
#pragma once

#include <cstddef>
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

  /// Sends bytes to another process and receives bytes from it, which it must send; 0 bytes are no message.
  /// \throws PeerLostError  if a process of the team has ended or is not heard of
  /// \throws IoError        if another number of bytes arrives
  void exchange(int partner, const void* out, std::size_t out_bytes, void* in, std::size_t in_bytes);

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
