#include "train/settings/numbers.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <system_error>

#include "io/escape.h"

namespace rapt {

static std::string chars(double value, std::chars_format format) {
  std::array<char, 400> buffer;  // the smallest double has 324 digits after the point
  const auto [end, error] = format == std::chars_format::fixed
                                ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format)
                                : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

std::string print_number(double value) {
  std::string text = chars(value, std::chars_format::general);
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  // Shortens "6e-04" to 6e-4.
  std::string sign = text[e + 1] == '-' ? "-" : "";
  std::size_t digits = e + 2;
  while (digits + 1 < text.size() && text[digits] == '0') ++digits;
  return text.substr(0, e + 1) + sign + text.substr(digits);
}

std::string print_fixed(double value) { return chars(value, std::chars_format::fixed); }

static std::string without_separators(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i > 0 && i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i - 1])) &&
                         std::isdigit(static_cast<unsigned char>(text[i + 1]));
    if (text[i] != '_' || !between) out += text[i];
  }
  return out;
}

std::string print_grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::int64_t parse_whole(std::string_view text, std::int64_t least, std::int64_t most) {
  const auto refuse = [&]() -> std::int64_t {
    const std::string bounds = most == INT64_MAX
                                   ? "a whole number of at least " + std::to_string(least)
                                   : "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    throw std::invalid_argument("must be " + bounds + ", got " + in_quotes(text));
  };
  std::string digits = without_separators(text);
  double scale = 1;
  if (!digits.empty()) {
    const char last = digits.back();
    if (last == 'K' || last == 'k') scale = 1e3;
    if (last == 'M' || last == 'm') scale = 1e6;
    if (last == 'G' || last == 'g') scale = 1e9;
    if (scale > 1) digits.pop_back();
  }
  const char *begin = digits.data(), *end = begin + digits.size();
  std::int64_t value = 0;
  if (const auto [rest, error] = std::from_chars(begin, end, value); error == std::errc() && rest == end && scale == 1)
    return value < least || value > most ? refuse() : value;
  double number = 0;
  const auto [rest, error] = std::from_chars(begin, end, number, std::chars_format::fixed);
  if (error != std::errc() || rest != end || scale == 1) return refuse();
  number *= scale;
  // Above 2^53, a double cannot represent every integer.
  if (number != std::floor(number) || std::abs(number) > 9e15) return refuse();
  value = static_cast<std::int64_t>(number);
  return value < least || value > most ? refuse() : value;
}

static std::string words_for(const Range& range) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const std::string low = print_number(range.low), high = print_number(range.high);
  if (range.low == -kNone && range.high == kNone) return "a number";
  if (range.high == kNone) return range.includes_low ? "a number of at least " + low : "a number above " + low;
  return "a number " + std::string(range.includes_low ? "from " : "above ") + low +
         (range.includes_high ? (range.includes_low ? " to " : " and up to ")
                              : (range.includes_low ? " to below " : " and below ")) +
         high;
}

double parse_number(std::string_view text, Range range) {
  const std::string digits = without_separators(text);
  double value = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool read = error == std::errc() && rest == digits.data() + digits.size() && std::isfinite(value);
  const bool inside = read && (range.includes_low ? value >= range.low : value > range.low) &&
                      (range.includes_high ? value <= range.high : value < range.high);
  if (!inside) throw std::invalid_argument("must be " + words_for(range) + ", got " + in_quotes(text));
  return value;
}

bool parse_switch(std::string_view text) {
  for (const char* yes : {"on", "true", "yes", "1", "True"})
    if (text == yes) return true;
  for (const char* no : {"off", "false", "no", "0", "False"})
    if (text == no) return false;
  throw std::invalid_argument("must be on or off, got " + in_quotes(text));
}

}  // namespace rapt
