#include "text/corpus/grammar.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tensor/error.h"

using namespace rapt;

static std::string expand(const std::string& grammar, std::uint64_t seed = 1) {
  return Grammar(grammar).expand("top", Rng(random_key(seed, Purpose::kText)));
}

static std::set<std::string> expansions(const std::string& grammar) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 200; ++seed) found.insert(expand(grammar, seed));
  return found;
}

TEST_CASE("all alternatives, choices and references are reached") {
  CHECK(expansions("[top]\n{x} (c|d|)\n[x]\na\nb") == std::set<std::string>{"a c", "b c", "a d", "b d", "a ", "b "});
  CHECK(expansions("[top]\n(a (b|c)|d)") == std::set<std::string>{"a b", "a c", "d"});
}

TEST_CASE("comments and empty lines are ignored, and a backslash joins lines") {
  CHECK(expand("# one\n\n[top]\n# two\nfirst \\\nsecond\\\n third\n") == "first second third");
}

TEST_CASE("a bound name keeps its fields, and the hero's fields need no prefix") {
  const std::string grammar =
      "[top]\n{x=girls}{y=boys}{X} saw {y}. {They} waved, and {y.they} waved to {them}.\n"
      "[girls: name they=she them=her]\nAnna\n[boys: name they=he them=him]\nBen\n";
  CHECK(expand(grammar) == "Anna saw Ben. She waved, and he waved to her.");
}

TEST_CASE("an alternative that is only a reference passes on all fields") {
  CHECK(expand("[top]\n{x=all}{x} {x.size}\n[all]\n{some}\n[some: name size]\nfly | small\n") == "fly small");
}

TEST_CASE("two variables differ in their first fields and in the marked ones") {
  CHECK(expansions("[top]\n{x=n}{y=n}{x}{y}\n[n]\n1\n2") == std::set<std::string>{"12", "21"});
  const std::string kinds =
      "[top]\n{x=n}{y=n}{x.kind}{y.kind}\n[n: name kind!]\n{names} | {letters}\n[names]\n1\n2\n3\n[letters]\na\nb";
  CHECK(expansions(kinds) == std::set<std::string>{"ab", "ba"});
}

TEST_CASE("articles agree with the next word, wherever it comes from") {
  CHECK(expand("[top]\n{A} {x} and {a} (old|odd) one, {a} unit, {a} useful hour\n[x]\napple") ==
        "An apple and an old one, a unit, a useful hour");
  CHECK(expand("[top]\n{a} hour, {a} (|) owl, {a} {x}{y}\n[x]\n(|)\n[y]\nend") == "an hour, an owl, an end");
}

TEST_CASE("a new line drops the spaces around it") { CHECK(expand("[top]\none {p} two") == "one\ntwo"); }

TEST_CASE("errors are named with their line") {
  const auto message = [](const std::string& grammar) -> std::string {
    try {
      expand(grammar);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK(message("word") == "grammar:1: text before the first [rule]");
  CHECK(message("[top\nx") == "grammar:1: a rule's header must end in ]");
  CHECK(message("[top]\n\nx {y") == "grammar:3: a { without its }");
  CHECK(message("[top]\n(x|y") == "grammar:2: a ( without its )");
  CHECK(message("[top]\nx)") == "grammar:2: a ) that closes nothing");
  CHECK(message("[top]\nx} y") == "grammar:2: a } that closes nothing");
  CHECK(message("[top]\n{}") == "grammar:2: {} names nothing");
  CHECK(message("[top]\n{other}") == "grammar:2: {other} is not defined");
  CHECK(message("[top]\nx\\\n\\\ny\n(a|{other})") == "grammar:5: {other} is not defined");
  CHECK(message("[top]\n{x=other}") == "grammar:2: there is no rule other");
  CHECK(message("[top]\nx | y") == "grammar:2: more fields than the header names");
  CHECK(message("[top: name age]\nx") == "grammar:2: field age is missing");
  CHECK(message("[top]\nx\n[top]\ny") == "grammar:3: rule top is there twice");
  CHECK(message("[top]\n{top=top}") == "grammar:2: top is the name of a variable and of a rule");
  CHECK(message("[top]\nx\n[y]\n") == "grammar:3: rule y has no alternatives");
  CHECK(message("[top]\n{x=n}{y=n}\n[n]\n1") == "grammar:2: there is nothing new in n to bind y to");
  CHECK(message("[top]\n{x.name}{x=n}\n[n: name]\n1") == "grammar:2: x is used before it is bound");
  CHECK(message("[top]\n{x=n}{x.age}\n[n: name]\n1\n[m: name age]\n1 | 2") == "grammar:2: x has no field age");
  CHECK_THROWS_AS(Grammar("[x]\ny").expand("top", Rng({})), std::invalid_argument);
}
