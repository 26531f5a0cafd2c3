// What this machine can do, measured, and what this process takes of it.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/types.h"

namespace rapt {

/// f32 operations per second of large matrix products on all threads: what "share of peak" is a share of. The best
/// that this process has measured; each call measures again, for a tenth of a second.
double measure_sgemm_peak();

/// Bytes per second that all threads together read from memory. Measured anew, in about a fifth of a second.
double measure_read_bandwidth();

/// Resident memory of this process, now and at most so far, in bytes.
std::uint64_t resident_memory();
std::uint64_t peak_resident_memory();

/// Memory that is free for use on this machine (or in this container), in bytes.
std::uint64_t available_memory();

/// "AMD EPYC 9R14".
std::string processor_name();

/// The best instruction set that kernels are compiled for and this processor has: "AVX3", "AVX2", "SSE2", "NEON" ...
std::string simd_target();

}  // namespace rapt
