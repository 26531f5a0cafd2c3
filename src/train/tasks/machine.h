// The measured speed of this machine, and the memory of this process.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/types.h"

namespace rapt {

/// Operations per second of large matrix products on all threads, with operands in the program's precision
/// (tensor/precision.h): the basis of "share of peak". The best measurement of this process; each call measures again,
/// for a tenth of a second.
double measure_sgemm_peak();

/// Bytes per second that all threads together read from memory. Measured in each call, in about a fifth of a second.
double measure_read_bandwidth();

/// Resident memory of this process, now and at its maximum so far, in bytes.
std::uint64_t resident_memory();
std::uint64_t peak_resident_memory();

/// Free memory of this machine (or container), in bytes.
std::uint64_t available_memory();

/// "AMD EPYC 9R14".
std::string processor_name();

}  // namespace rapt
