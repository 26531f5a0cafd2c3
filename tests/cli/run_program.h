// Runs the program like a user, and returns its output and exit code.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace rapt {

struct ProgramResult {
  int code = 0;     ///< exit code, or 128 + the signal that ended it
  std::string out;  ///< standard output
  std::string err;  ///< standard error
};

/// A temporary folder for each test, in which programs run; removed at the end.
class Workshop {
 public:
  Workshop() {
    static int number = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("rapt-cli-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
    std::filesystem::create_directories(folder_);
  }
  ~Workshop() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool has(const std::string& name) const { return std::filesystem::exists(path(name)); }

  /// `rapt ARGUMENTS` in this folder, `input` on standard input. A shell is not involved.
  ProgramResult rapt(const std::vector<std::string>& arguments, const std::string& input = "") const {
    write(".in", input);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) become(arguments);
    return ended(child);
  }

  /// The same, but sends `signal` as soon as `enough()` is true. It is called every half millisecond.
  ProgramResult rapt_until(const std::vector<std::string>& arguments, const std::function<bool()>& enough,
                           int signal) const {
    const pid_t child = start(arguments);
    while (!enough()) {
      if (!is_running(child)) return ended(child);
      ::usleep(500);
    }
    ::kill(child, signal);
    return ended(child);
  }

  /// Starts `rapt ARGUMENTS` and leaves it running; wait() returns its result. One at a time.
  pid_t start(const std::vector<std::string>& arguments) const {
    write(".in", "");
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) become(arguments);
    return child;
  }
  ProgramResult wait(pid_t child) const { return ended(child); }
  bool is_running(pid_t child) const {
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0);
    return info.si_pid != child;
  }

  /// Starts `mpirun ARGUMENTS`, for several processes of one run; wait() returns its result.
  pid_t start_mpirun(std::vector<std::string> arguments) const {
    write(".in", "");
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child != 0) return child;
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);  // not allowed in many containers
    arguments.insert(arguments.begin(), "--oversubscribe");
    become(arguments, "mpirun");
  }

  /// `rapt ARGUMENTS`, and how many bytes it read with system calls; mapped files do not count.
  std::pair<ProgramResult, std::uint64_t> rapt_and_bytes_read(const std::vector<std::string>& arguments) const {
    const pid_t child = start(arguments);
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
    std::ifstream counters("/proc/" + std::to_string(child) + "/io");
    std::uint64_t read = 0;
    for (std::string name, value; counters >> name >> value;) {
      if (name == "rchar:") read = std::stoull(value);
    }
    return {ended(child), read};
  }

 private:
  ProgramResult ended(pid_t child) const {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read(".out"), read(".err")};
  }

  [[noreturn]] void become(const std::vector<std::string>& arguments, const char* program = RAPT_PROGRAM) const {
    const auto redirect = [&](const char* name, int flags, int to) {
      const int fd = ::open(path(name).c_str(), flags, 0600);
      if (fd < 0 || ::dup2(fd, to) < 0) ::_exit(127);
    };
    redirect(".in", O_RDONLY, STDIN_FILENO);
    redirect(".out", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(".err", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    if (::chdir(folder_.c_str()) != 0) ::_exit(127);
    ::unsetenv("NO_COLOR");
    std::vector<char*> argv = {const_cast<char*>(program)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execvp(program, argv.data());
    ::_exit(127);
  }

  std::filesystem::path folder_;
};

/// Checks a complete failure: nothing on standard output, one line on standard error, the exit code.
inline void check_error(const ProgramResult& result, int code, const std::string& message) {
  CHECK(result.err == "error: " + message + "\n");
  CHECK(result.out.empty());
  CHECK(result.code == code);
}

}  // namespace rapt
