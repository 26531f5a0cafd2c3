// Generates text from a grammar: tables of words, phrases with choices, and characters that keep their name and
// pronouns through a story. The notation is designed for writing by hand; data/stories.grammar uses it.
//
//     # a comment
//     [girls: name kind=girl they=she]      a rule with fields; a field may have a default
//     Anna                                  one alternative per line, its fields separated by |
//     Tess | woman                          a backslash at the end of a line continues it on the next
//     [children]
//     {girls}                               an alternative that is only a reference passes on all fields
//     [plots]
//     {hero=children}{They} saw {a} {colours} (bird|frog). {p}{Hero} laughed.
//
//     {rule}         a random alternative of the rule, drawn each time
//     {x=rule}       binds x to one without printing it; it differs from existing bindings in its first field, and in
//                    the fields that their header marks with an exclamation mark (kind!)
//     {x}  {x.they}  the first field of x's binding, or the field of that name
//     {they}         a field of the first binding, the hero
//     {They}         the same, capitalised
//     {a}  {A}       "a" or "an", depending on the next word
//     {p}            a new line
//     (one|two|)     one of these; may be nested
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/random.h"

namespace rapt {

/// A parsed grammar. Parsing finds every syntax error and every undefined reference, even in unused rules.
class Grammar final {
 public:
  /// \throws DataError  naming `name`, the line and the error
  explicit Grammar(std::string_view text, std::string_view name = "grammar");

  /// One expansion of `rule`; a pure function of the grammar, the rule and the stream.
  /// \throws std::invalid_argument  if there is no such rule
  /// \throws DataError              if a variable is used before it is bound, or no unused value is left to bind
  std::string expand(std::string_view rule, Rng rng) const;

 private:
  friend class GrammarParser;
  friend class GrammarExpansion;

  enum class Kind { kText, kReference, kBind, kChoice, kArticle, kNewLine };
  struct Node;
  using Sequence = std::vector<Node>;
  struct Node {
    Kind kind = Kind::kText;
    bool capital = false;
    std::string text{};               // the text; the rule or variable referenced; the variable bound
    std::string field{};              // {text.field}; the rule that a variable is bound to
    std::vector<Sequence> choices{};  // (…|…)
    int line = 0;
  };
  struct Field {
    std::string name, fallback;
    bool has_fallback = false, distinct = false;
  };
  struct Rule {
    std::vector<Field> fields;
    std::vector<std::vector<Sequence>> alternatives;  // [alternative][field]
    int line = 0;
  };

  std::string name_;
  std::map<std::string, Rule, std::less<>> rules_;
};

}  // namespace rapt
