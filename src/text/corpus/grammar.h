// Text from a grammar: tables of words, phrases with choices, and characters that keep their name and pronouns through
// a story. The notation is made for writing by hand; data/stories.grammar is written in it.
//
//     # a comment
//     [girls: name kind=girl they=she]      a rule with fields; a field may have a default
//     Anna                                  an alternative a line, its fields separated by |
//     Tess | woman                          a line that ends in a backslash goes on in the next
//     [children]
//     {girls}                               an alternative that is only a reference hands on all fields
//     [plots]
//     {hero=children}{They} saw {a} {colours} (bird|frog). {p}{Hero} laughed.
//
//     {rule}         a random alternative of the rule, anew each time
//     {x=rule}       binds x to one, silently; it differs from what is bound already in its first field, and in fields
//                    that their header marks with an exclamation mark (kind!)
//     {x}  {x.they}  the first field of what x is bound to, or the field of that name
//     {they}         a field of the first thing bound, the hero
//     {They}         the same with a capital
//     {a}  {A}       "a" or "an", as the next word needs
//     {p}            a new line
//     (one|two|)     one of these, nested at will
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/random.h"

namespace rapt {

/// A parsed grammar. Parsing finds every mistake of notation and every reference to nothing, used or not.
class Grammar final {
 public:
  /// \throws DataError  naming `name`, the line and the mistake
  explicit Grammar(std::string_view text, std::string_view name = "grammar");

  /// One expansion of `rule`; a pure function of the grammar, the rule and the stream.
  /// \throws std::invalid_argument  if there is no such rule
  /// \throws DataError              if a variable is used before it is bound, or there is nothing new to bind to it
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
    std::string text{};               // the text; the rule or variable referred to; the variable bound
    std::string field{};              // {text.field}; the rule that a variable is bound from
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
