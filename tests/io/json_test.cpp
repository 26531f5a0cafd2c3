#include "io/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "io/escape.h"
#include "temporary_folder.h"
#include "tensor/error.h"

namespace rapt {
namespace {

std::string json_error(const std::string& text, const JsonLimits& limits = {}) {
  return message_of<DataError>([&] { parse_json(text, "config.json", limits); });
}

TEST_CASE("every kind of value parses, and objects keep the order of the file") {
  const Json value = parse_json(R"({"z":1,"a":[true,false,null,-3,2.5,"é\n\u00e9"],"m":{"y":{},"x":[]}})", "f");
  CHECK(dump_compact(value) == "{\"z\":1,\"a\":[true,false,null,-3,2.5,\"é\\né\"],\"m\":{\"y\":{},\"x\":[]}}");
  CHECK(parse_json(" 7 \n", "f") == 7);
  CHECK(parse_json("\"\"", "f") == "");
  CHECK(parse_json("18446744073709551615", "f") == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("a duplicate key is rejected with its line and column") {
  CHECK(json_error("{\n  \"n_layer\": 2,\n  \"n_layer\": 3\n}") ==
        "config.json: line 3, column 11: key \"n_layer\" occurs twice in the same object");
  CHECK(json_error(R"({"a":{"b":1},"c":{"b":1}})") == "no error");
  CHECK(json_error(R"([{"\u0061":1,"a":2}])") != "no error");
}

TEST_CASE("depth is limited") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK(json_error(nested(64)) == "no error");
  CHECK(json_error(nested(65)) == "config.json: line 1, column 65: malformed JSON: nested deeper than 64 levels");
  CHECK(json_error(nested(1000000)) != "no error");
}

TEST_CASE("invalid JSON is rejected") {
  for (const std::string& text : {std::string(),
                                  std::string("{"),
                                  std::string("[1,]"),
                                  std::string("{\"a\":1,}"),
                                  std::string("{'a':1}"),
                                  std::string("1 2"),
                                  std::string("{} x"),
                                  std::string("nul"),
                                  std::string("01"),
                                  std::string("+1"),
                                  std::string("NaN"),
                                  std::string("1e999"),
                                  std::string("\"\xff\""),
                                  std::string("\"\xc0\xaf\""),
                                  std::string("\"\xed\xa0\x80\""),
                                  std::string("\"\\ud800\""),
                                  std::string("\"a\nb\""),
                                  std::string("// c\n1"),
                                  std::string("\"\0\"", 3),
                                  std::string("1\0", 2),
                                  std::string("[1")}) {
    CAPTURE(escape_for_terminal(text));
    const std::string error = json_error(text);
    CHECK(error.rfind("config.json: line 1, column ", 0) == 0);
    CHECK(error.find("malformed JSON") != std::string::npos);
  }
}

TEST_CASE("an error is short and shows no control characters, whatever the file holds") {
  const std::string error = json_error("{\"a\": \"" + std::string(1 << 20, 'x') + "\x1b[31m\"}");
  CHECK(error.size() < 400);
  CHECK(error.find('\x1b') == std::string::npos);
  CHECK(json_error("\"\x1b]0;title\x07\"").find('\x1b') == std::string::npos);
}

TEST_CASE("the size limit counts bytes") {
  CHECK(json_error("[1,2]", {.bytes = 5}) == "no error");
  CHECK(json_error("[1,2]", {.bytes = 4}) == "config.json: JSON must be at most 4 bytes, got 5");
}

TEST_CASE("a large object parses in time that grows with its size") {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":" + std::to_string(i);
  text += '}';
  const Json value = parse_json(text, "vocab.json");
  CHECK(value.size() == 200000);
  CHECK(std::prev(value.end()).key() == "199999");
}

TEST_CASE("errors of typed reads name the file, the key and the value") {
  const Json json = parse_json(
      R"({"n_layer":"twelve","n_head":0,"big":9223372036854775808,"half":0.5,"two":2.0,"flag":1,"name":"gpt2",
          "list":["a","b"],"mixed":["a",1],"none":null,"model":{"type":"BPE"}})",
      "f");
  const JsonFields fields(json, "config.json");
  CHECK(message_of<DataError>([&] { fields.positive_integer("n_layer"); }) ==
        "config.json: \"n_layer\" must be a positive integer, got \"twelve\"");
  CHECK(message_of<DataError>([&] { fields.positive_integer("n_head"); }) ==
        "config.json: \"n_head\" must be a positive integer, got 0");
  CHECK(message_of<DataError>([&] { fields.integer("big"); }) ==
        "config.json: \"big\" must be an integer, got 9223372036854775808");
  CHECK(message_of<DataError>([&] { fields.integer("two"); }) == "config.json: \"two\" must be an integer, got 2.0");
  CHECK(message_of<DataError>([&] { fields.boolean("flag"); }) == "config.json: \"flag\" must be true or false, got 1");
  CHECK(message_of<DataError>([&] { fields.number("name"); }) ==
        "config.json: \"name\" must be a number, got \"gpt2\"");
  CHECK(message_of<DataError>([&] { fields.string("half"); }) == "config.json: \"half\" must be a string, got 0.5");
  CHECK(message_of<DataError>([&] { fields.strings("mixed"); }) ==
        "config.json: \"mixed\" must hold only strings, got 1");
  CHECK(message_of<DataError>([&] { fields.integer("n_embd"); }) == "config.json: \"n_embd\" is missing");
  CHECK(message_of<DataError>([&] { fields.object("model").integer("type"); }) ==
        "config.json: \"model.type\" must be an integer, got \"BPE\"");
  CHECK(message_of<DataError>([&] { fields.object("model").object("vocab"); }) ==
        "config.json: \"model.vocab\" is missing");
  CHECK(message_of<DataError>([&] { fields.object("list"); }) ==
        "config.json: \"list\" must be an object, got an array of 2");
  CHECK(message_of<DataError>([&] { JsonFields(Json(3), "config.json"); }) ==
        "config.json: the file's value must be an object, got 3");
  CHECK(message_of<DataError>([&] { fields.integer_between("n_head", 1, 4); }) ==
        "config.json: \"n_head\" must be an integer from 1 to 4, got 0");

  CHECK(fields.number("half") == 0.5);
  CHECK(fields.number("n_head") == 0.0);
  CHECK(fields.integer_or("none", 5) == 5);
  CHECK(fields.integer_or("absent", 6) == 6);
  CHECK(fields.string_or("name", "x") == "gpt2");
  CHECK(fields.strings("list") == std::vector<std::string>{"a", "b"});
  CHECK(fields.has("none"));
  CHECK_FALSE(fields.has_value("none"));
}

TEST_CASE("dumps are the shortest numbers that read back as the same bits") {
  for (const double number : {0.1, 1e-5, 6e-4, 1.0 / 3.0, 5e-324, 1.7976931348623157e308, 123456789.0}) {
    CAPTURE(number);
    CHECK(parse_json(dump_compact(Json(number)), "f").get<double>() == number);
  }
  CHECK(dump_compact(Json(0.1)) == "0.1");
  CHECK(dump_pretty(parse_json(R"({"a":[1]})", "f")) == "{\n  \"a\": [\n    1\n  ]\n}\n");
  CHECK_THROWS_AS(dump_compact(Json("\xff")), std::invalid_argument);
}

TEST_CASE("text from files is shown without terminal control characters") {
  CHECK(escape_for_terminal("plain é 日本 😀") == "plain é 日本 😀");
  CHECK(escape_for_terminal("a\nb\tc\r\x1b[31m\x7f") == "a\\nb\\tc\\r\\x1b[31m\\x7f");
  CHECK(escape_for_terminal("\xff\xc0\xaf\xed\xa0\x80\xc3") == "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xc3");
  CHECK(escape_for_terminal("\xc2\x9b") == "\\u{9b}");
  CHECK(escape_for_terminal("\xe2\x80\xae") == "\\u{202e}");
  CHECK(escape_for_terminal(std::string(1, '\0')) == "\\x00");
  CHECK(in_quotes("abc") == "\"abc\"");
  CHECK(in_quotes(std::string(200, 'x'), 10) == "\"xxxxxxxxxx...\"");
  CHECK(in_quotes("ééééé", 3) == "\"é...\"");
}

TEST_CASE("sizes are readable") {
  CHECK(readable_bytes(0) == "0 B");
  CHECK(readable_bytes(1023) == "1023 B");
  CHECK(readable_bytes(1024) == "1.0 KiB");
  CHECK(readable_bytes(3328599654ULL) == "3.1 GiB");
  CHECK(readable_bytes((1ULL << 30) - 1) == "1.0 GiB");
  CHECK(readable_bytes(500ULL << 20) == "500 MiB");
}

}  // namespace
}  // namespace rapt
