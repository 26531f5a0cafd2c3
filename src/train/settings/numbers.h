// Numbers and words on the command line and in files: exact in both directions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rapt {

/// The shortest text that reads back as the same double: "0.1", "6e-4", "65536".
std::string print_number(double value);

/// The same without an exponent: "0.0006".
std::string print_fixed(double value);

/// With commas as thousands separators: "1,234,567".
std::string print_grouped(std::int64_t value);

/// Reads an integer: digits, `_` between them, an optional K, M or G (10^3, 10^6, 10^9): `20_000`, `20K`, `1.5M`.
/// \throws std::invalid_argument  "must be a whole number of at least 1, got "x""
std::int64_t parse_whole(std::string_view text, std::int64_t least, std::int64_t most = INT64_MAX);

/// The ends of an interval: `[` and `]` include the end, `(` and `)` do not.
struct Range {
  double low, high;
  bool includes_low = true, includes_high = true;
};

/// Reads a finite number in `range`.
/// \throws std::invalid_argument  "must be a number from 0 to below 1, got "2""
double parse_number(std::string_view text, Range range);

/// Reads on, off, true, false, yes, no, 1, 0.
bool parse_switch(std::string_view text);

}  // namespace rapt
