#include "train/team/transport.h"

#ifdef RAPT_HAVE_MPI

#include <mpi.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "io/host_name.h"

namespace rapt {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr double kBeat = 0.5;  // seconds between two signs of life

void check(int error, const char* what) {
  if (error == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(error, text, &length);
  throw IoError(std::string("team: ") + what + " failed: " + std::string(text, static_cast<std::size_t>(length)));
}

// Where a process of the team runs.
struct Peer {
  char host[256];
  std::int64_t process;
};

}  // namespace

struct Transport::Implementation {
  MPI_Comm bytes = MPI_COMM_NULL, beats = MPI_COMM_NULL;
  int rank = 0, size = 1;
  double patience = 30;
  double waited = 0, sent = 0;
  std::vector<Peer> peers;
  std::vector<bool> visible;  // processes of this node, unless a container hides them

  std::mutex calling;  // MPI is started for one caller at a time
  std::thread beating;
  bool ending = false;                  // guarded by `calling`
  std::vector<Clock::time_point> seen;  // the last sign of life of each process; guarded by `calling`

  void start();
  void beat();
  void hear_beats();
  void require_all_alive();
  int keep(MPI_Request request, std::size_t received);

  // A message on its way.
  struct Message {
    MPI_Request request = MPI_REQUEST_NULL;
    std::size_t received = 0;  // bytes to receive; 0: it is sent
    bool used = false;
  };
  std::vector<Message> messages;
  Clock::time_point looked = Clock::now();  // at the others
};

void Transport::Implementation::start() {
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "starting MPI");
  if (provided < MPI_THREAD_SERIALIZED) throw IoError("team: this MPI cannot be used by more than one thread");
  check(MPI_Comm_dup(MPI_COMM_WORLD, &bytes), "MPI_Comm_dup");
  check(MPI_Comm_dup(MPI_COMM_WORLD, &beats), "MPI_Comm_dup");
  for (MPI_Comm comm : {bytes, beats})
    check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  MPI_Comm_rank(bytes, &rank);
  MPI_Comm_size(bytes, &size);
  Peer mine{{}, ::getpid()};
  host_name().copy(mine.host, sizeof mine.host - 1);
  peers.resize(static_cast<std::size_t>(size));
  check(MPI_Allgather(&mine, sizeof mine, MPI_BYTE, peers.data(), sizeof mine, MPI_BYTE, bytes), "MPI_Allgather");
  for (const Peer& peer : peers) {
    visible.push_back(std::string(peer.host) == mine.host && ::kill(static_cast<pid_t>(peer.process), 0) == 0);
  }
  seen.assign(static_cast<std::size_t>(size), Clock::now());
  beating = std::thread([this] { beat(); });
}

// Tells all others that this process is there, until the end.
void Transport::Implementation::beat() {
  static const char kSign = 1;
  std::vector<MPI_Request> sends(static_cast<std::size_t>(size), MPI_REQUEST_NULL);
  for (;;) {
    {
      const std::lock_guard lock(calling);
      if (ending) break;
      for (int other = 0; other < size; ++other) {
        if (other == rank) continue;
        MPI_Request& send = sends[static_cast<std::size_t>(other)];
        int done = 1;
        if (send != MPI_REQUEST_NULL) MPI_Test(&send, &done, MPI_STATUS_IGNORE);
        if (done != 0) MPI_Isend(&kSign, 1, MPI_BYTE, other, 0, beats, &send);
      }
      hear_beats();
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(kBeat));
  }
  for (MPI_Request& send : sends) {  // whoever is lost does not take them
    if (send != MPI_REQUEST_NULL) MPI_Request_free(&send);
  }
}

// With `calling` locked.
void Transport::Implementation::hear_beats() {
  for (int there = 1; there != 0;) {
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, 0, beats, &there, &status);
    if (there == 0) return;
    char sign = 0;
    MPI_Recv(&sign, 1, MPI_BYTE, status.MPI_SOURCE, 0, beats, MPI_STATUS_IGNORE);
    seen[static_cast<std::size_t>(status.MPI_SOURCE)] = Clock::now();
  }
}

// With `calling` locked.
void Transport::Implementation::require_all_alive() {
  const auto lost = [&](int other, const std::string& how) {
    throw PeerLostError("team: lost rank " + std::to_string(other) + " on " +
                        peers[static_cast<std::size_t>(other)].host + " (process " +
                        std::to_string(peers[static_cast<std::size_t>(other)].process) + "), which " + how +
                        "; the last checkpoint is intact: resume with the same command");
  };
  for (int other = 0; other < size; ++other) {
    if (other == rank) continue;
    const Peer& peer = peers[static_cast<std::size_t>(other)];
    if (visible[static_cast<std::size_t>(other)] && ::kill(static_cast<pid_t>(peer.process), 0) != 0 &&
        errno == ESRCH) {
      lost(other, "has ended");
    }
    const double silent = seconds_since(seen[static_cast<std::size_t>(other)]);
    if (silent > patience) {
      lost(other, "has not been heard of for " + std::to_string(static_cast<int>(silent)) + " s (--peer-timeout)");
    }
  }
}

int Transport::Implementation::keep(MPI_Request request, std::size_t received) {
  const auto unused = std::find_if(messages.begin(), messages.end(), [](const Message& m) { return !m.used; });
  const auto number = static_cast<int>(unused - messages.begin());
  if (unused == messages.end()) messages.emplace_back();
  messages[static_cast<std::size_t>(number)] = {request, received, true};
  return number;
}

bool Transport::available() { return true; }

Transport::Transport(double patience) : mpi_(std::make_unique<Implementation>()) {
  mpi_->patience = patience;
  mpi_->start();
}

Transport::~Transport() {
  {
    const std::lock_guard lock(mpi_->calling);
    mpi_->ending = true;
  }
  mpi_->beating.join();
  MPI_Barrier(mpi_->bytes);
  mpi_->hear_beats();
  MPI_Finalize();
}

int Transport::rank() const { return mpi_->rank; }
int Transport::size() const { return mpi_->size; }

int Transport::begin_send(int partner, int tag, const void* bytes, std::size_t size) {
  const std::lock_guard lock(mpi_->calling);
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Isend(bytes, static_cast<int>(size), MPI_BYTE, partner, tag, mpi_->bytes, &request), "sending");
  mpi_->sent += static_cast<double>(size);
  return mpi_->keep(request, 0);
}

int Transport::begin_receive(int partner, int tag, void* bytes, std::size_t size) {
  const std::lock_guard lock(mpi_->calling);
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Irecv(bytes, static_cast<int>(size), MPI_BYTE, partner, tag, mpi_->bytes, &request), "receiving");
  return mpi_->keep(request, size);
}

bool Transport::done(int request) {
  const std::lock_guard lock(mpi_->calling);
  Implementation::Message& message = mpi_->messages[static_cast<std::size_t>(request)];
  int is_done = 0;
  MPI_Status status;
  check(MPI_Test(&message.request, &is_done, &status), "a message");
  if (is_done == 0) return false;
  message.used = false;
  if (message.received == 0) return true;
  int count = 0;
  MPI_Get_count(&status, MPI_BYTE, &count);
  if (static_cast<std::size_t>(count) == message.received) return true;
  throw IoError("team: a message of " + std::to_string(message.received) + " bytes had " + std::to_string(count));
}

void Transport::rest(std::int64_t waits) {
  if (seconds_since(mpi_->looked) > 0.1) {
    const std::lock_guard lock(mpi_->calling);
    mpi_->looked = Clock::now();
    mpi_->hear_beats();
    mpi_->require_all_alive();
  }
  // Others may need this core to finish what is waited for.
  if (waits > 1000) std::this_thread::sleep_for(std::chrono::microseconds(waits > 20000 ? 1000 : 20));
}

void Transport::exchange(int partner, const void* out, std::size_t out_bytes, void* in, std::size_t in_bytes) {
  const Clock::time_point start = Clock::now();
  const auto* from = static_cast<const std::byte*>(out);
  auto* to = static_cast<std::byte*>(in);
  while (out_bytes > 0 || in_bytes > 0) {
    const std::size_t n_in = std::min(in_bytes, kMessage), n_out = std::min(out_bytes, kMessage);
    std::vector<int> requests;
    if (n_in > 0) requests.push_back(begin_receive(partner, 0, to, n_in));
    if (n_out > 0) requests.push_back(begin_send(partner, 0, from, n_out));
    for (std::int64_t waits = 0; !requests.empty(); ++waits) {
      std::erase_if(requests, [&](int request) { return done(request); });
      if (!requests.empty()) rest(waits);
    }
    from += n_out;
    to += n_in;
    out_bytes -= n_out;
    in_bytes -= n_in;
  }
  mpi_->waited += seconds_since(start);
}

void Transport::waited_since(std::chrono::steady_clock::time_point start) { mpi_->waited += seconds_since(start); }

double Transport::seconds_waited() const { return mpi_->waited; }
double Transport::bytes_sent() const { return mpi_->sent; }

void Transport::abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace rapt

#else

namespace rapt {

struct Transport::Implementation {};

bool Transport::available() { return false; }
Transport::Transport(double) { throw UsageError("rapt was built without MPI"); }
Transport::~Transport() = default;
int Transport::rank() const { return 0; }
int Transport::size() const { return 1; }
int Transport::begin_send(int, int, const void*, std::size_t) { return 0; }
int Transport::begin_receive(int, int, void*, std::size_t) { return 0; }
bool Transport::done(int) { return true; }
void Transport::rest(std::int64_t) {}
void Transport::exchange(int, const void*, std::size_t, void*, std::size_t) {}
void Transport::waited_since(std::chrono::steady_clock::time_point) {}
double Transport::seconds_waited() const { return 0; }
double Transport::bytes_sent() const { return 0; }
void Transport::abort(int code) { std::_Exit(code); }

}  // namespace rapt

#endif
