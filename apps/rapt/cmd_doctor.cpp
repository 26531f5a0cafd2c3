// rapt doctor: describes this machine and the libraries, and checks that they work.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "commands.h"
#include "help.h"
#include "in_team.h"
#include "io/escape.h"
#include "io/hdf5.h"
#include "io/json.h"
#include "tensor/error.h"
#include "tensor/instruction_set.h"
#include "tensor/matmul.h"
#include "tensor/matmul_openblas.h"
#include "tensor/parallel.h"
#include "terminal.h"
#include "train/tasks/machine.h"
#include "train/team/team.h"

namespace rapt::app {

static std::uint64_t free_disk_bytes(const char* folder) {
  struct statvfs disk {};
  return ::statvfs(folder, &disk) == 0 ? std::uint64_t{disk.f_bavail} * disk.f_frsize : 0;
}

static bool can_write_here() {
  const std::string name = ".rapt-doctor-" + std::to_string(::getpid());
  const bool written = static_cast<bool>(std::ofstream(name) << "x" << std::flush);
  std::error_code ignored;
  std::filesystem::remove(name, ignored);
  return written;
}

static int examine(const Arguments& arguments, Team& team) {
  Json report;
  report["rapt"] = version().substr(5);
  report["processor"] = processor_name();
  report["processors_online"] = ::sysconf(_SC_NPROCESSORS_ONLN);
  report["processors_usable"] = usable_processors();
  report["threads"] = thread_count();
  report["simd"] = simd_target();
  report["memory_available"] = available_memory();
  report["blas"] = matmul_provider();
  report["blas_build"] = openblas_build().config;
  report["hdf5"] = hdf5_version();
  report["disk_free_here"] = free_disk_bytes(".");
  report["folder_writable"] = can_write_here();

  std::string trouble;
  try {
    check_matmul_provider();
  } catch (const Error& error) {
    trouble = error.what();
  }
  report["products_right"] = trouble.empty();
  report["mpi"] = Transport::available();
  if (team.size() > 1) {
    report["processes"] = team.size();
    report["network_gb_per_second"] = team.measure_rate() / 1e9;
  }
  if (trouble.empty()) {
    report["sgemm_gflops"] = measure_sgemm_peak() / 1e9;
    report["memory_gb_per_second"] = measure_read_bandwidth() / 1e9;
  }

  if (arguments.has("json")) {
    out(report.dump() + "\n");
  } else {
    const auto line = [](const char* name, const std::string& value) { out(fmt::format("{:<14}{}\n", name, value)); };
    line("rapt", report["rapt"]);
    line("processor", fmt::format("{}; {} online, {} usable by this process", escape_for_terminal(processor_name()),
                                  report["processors_online"].get<long>(), usable_processors()));
    line("threads", std::to_string(thread_count()));
    const char* const held = std::getenv("RAPT_SIMD");
    line("instructions",
         simd_target() + (held != nullptr && *held != '\0' ? fmt::format(" (RAPT_SIMD={})", held) : ""));
    line("memory", readable_bytes(available_memory()) + " available");
    line("products", matmul_provider());
    line("hdf5", hdf5_version());
    line("mpi", Transport::available() ? "yes: mpirun -n N rapt train ..." : "rapt was built without it");
    line("disk", readable_bytes(free_disk_bytes(".")) + " free here" +
                     (report["folder_writable"] ? "" : ", and this folder is not writable"));
    if (trouble.empty()) {
      line("check", "matrix products are correct");
      line("sgemm peak", fmt::format("{:.0f} GFLOP/s", report["sgemm_gflops"].get<double>()));
      line("memory reads", fmt::format("{:.0f} GB/s", report["memory_gb_per_second"].get<double>()));
    }
    if (team.size() > 1) {
      line("network", fmt::format("{:.2f} GB/s in each direction, between {} processes",
                                  report["network_gb_per_second"].get<double>(), team.size()));
    }
  }
  if (!trouble.empty()) throw BugError(trouble);
  return 0;
}

static int run_doctor(const Arguments& arguments) {
  Team team = launched_team();
  return in_team(team, [&] { return examine(arguments, team); });
}

Command doctor_command() {
  return {.name = "doctor",
          .summary = "report the processor and libraries, and check that matrix products are correct",
          .examples = {"rapt doctor", "rapt doctor --json", "mpirun -n 2 rapt doctor"},
          .options = {{.name = "json", .kind = OptionKind::kSwitch, .help = "one JSON object"}},
          .more = "On several processes, it also measures the network between them.\n",
          .in_team = true,
          .run = run_doctor};
}

}  // namespace rapt::app
