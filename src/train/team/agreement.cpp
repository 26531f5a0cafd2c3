#include "train/team/agreement.h"

#include <algorithm>

#include "io/joined.h"
#include "tensor/error.h"
#include "tensor/instruction_set.h"
#include "tensor/matmul.h"

namespace rapt {

std::vector<std::string> computing_lines() {
  return {"instruction set: " + simd_target(), "products: " + matmul_provider()};
}

void require_agreement(Team& team, const std::vector<std::string>& lines) {
  const std::vector<std::string> all = team.gather(joined(lines, "\n"));
  for (int rank = 1; rank < team.size(); ++rank) {
    const std::string &leaders = all.front(), &other = all[static_cast<std::size_t>(rank)];
    if (leaders == other) continue;
    const auto line_at = [](const std::string& text, std::size_t at) {
      const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
      return text.substr(begin, text.find('\n', begin) - begin);
    };
    const auto at = static_cast<std::size_t>(
        std::mismatch(leaders.begin(), leaders.end(), other.begin(), other.end()).first - leaders.begin());
    throw ConfigError(team.name(rank) + " has " + line_at(other, at) + ", " + team.name(0) + " has " +
                      line_at(leaders, at) + "; start the same command with the same program on all nodes");
  }
}

}  // namespace rapt
