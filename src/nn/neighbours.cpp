#include "nn/neighbours.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rapt {
namespace {

// The score of a neighbour where others have about 0: e^6 is 400 times their weight.
constexpr double kScore = 6;

// The rotation of a pair of position columns from one position to the next. The angles are spread over half a turn, so
// that neighbours differ, and unevenly, so that no two positions of a long context are alike.
double angle(Dim pair, Dim pairs) {
  const double uneven = static_cast<double>((pair + 1) * (pair + 1)) / std::numbers::phi;
  return std::numbers::pi * (static_cast<double>(pair) + uneven - std::floor(uneven)) / static_cast<double>(pairs);
}

template <typename T>
void write_positions(Tensor table, Dim columns, double length) {
  const Dim positions = table.shape()[0], C = table.shape()[1];
  const double amplitude = length / std::sqrt(static_cast<double>(columns / 2));
  for (Dim p = 0; p < positions; ++p) {
    T* const row = table.data<T>() + p * C;
    std::fill(row, row + C, T(0));
    for (Dim i = 0; i < columns; i += 2) {
      const double turned = static_cast<double>(p) * angle(i / 2, columns / 2);
      row[i] = static_cast<T>(amplitude * std::sin(turned));
      row[i + 1] = static_cast<T>(amplitude * std::cos(turned));
    }
  }
}

// Adds the maps to the rows of queries and keys [3C, C] of one head: a query gives its own position and a key gives its
// position minus `offset`, so that query i and key i + offset match.
template <typename T>
void look_at(Tensor qkv, Dim first_row, Dim columns, Dim offset, double gain) {
  const Dim C = qkv.shape()[1];
  const auto element = [&](Dim row, Dim column) -> T& { return qkv.data<T>()[row * C + column]; };
  for (Dim i = 0; i < columns; i += 2) {
    const Dim q = first_row + i, k = C + first_row + i;
    const double turn = static_cast<double>(offset) * angle(i / 2, columns / 2);
    const auto cosine = static_cast<T>(gain * std::cos(turn)), sine = static_cast<T>(gain * std::sin(turn));
    element(q, i) += static_cast<T>(gain);
    element(q + 1, i + 1) += static_cast<T>(gain);
    element(k, i) += cosine;  // sin(a - t) = sin a cos t - cos a sin t
    element(k, i + 1) -= sine;
    element(k + 1, i) += sine;  // cos(a - t) = cos a cos t + sin a sin t
    element(k + 1, i + 1) += cosine;
  }
}

}  // namespace

void begin_with_neighbours(const Variable& positions, const TransformerBlock& first, Dim heads, double token_std) {
  const Dim C = positions.shape()[1], head_width = C / heads;
  // A quarter of the columns is enough to distinguish positions.
  const Dim columns = std::min(head_width, std::max<Dim>(2, C / 4)) / 2 * 2;
  // After the norm, a row has length sqrt(C), and half of its square comes from the position: a score of gain^2 C / 2 /
  // sqrt(D).
  const double gain = std::sqrt(kScore * std::sqrt(static_cast<double>(head_width)) * 2 / static_cast<double>(C));
  dispatch_float(positions.dtype(), [&]<typename T>() {
    write_positions<T>(positions.value(), columns, token_std * std::sqrt(static_cast<double>(C)));
    for (Dim head = 0; head < std::min<Dim>(2, heads); ++head) {
      look_at<T>(first.attention().qkv_weight().value(), head * head_width, columns, head == 0 ? -1 : 1, gain);
    }
  });
}

}  // namespace rapt
