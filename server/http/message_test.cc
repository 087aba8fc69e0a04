// SPDX-License-Identifier: Apache-2.0
#include "server/http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "server/http/listen_address.h"
#include "server/http/router.h"

namespace ota::server {
namespace {

using testing::HasSubstr;

std::string DecodedPath(std::string_view target) {
  Request request;
  return IsOk(DecodeTarget(target, request)) ? request.path : "refused";
}

TEST(DecodeTarget, TakesOriginAndAbsoluteForm) {
  EXPECT_EQ(DecodedPath("/models/a%2Etflite?x=1"), "/models/a.tflite");
  EXPECT_EQ(DecodedPath("https://host:1/models/"), "/models/");
  EXPECT_EQ(DecodedPath("HTTP://host"), "/");
  Request request;
  ASSERT_TRUE(IsOk(DecodeTarget("/a?b=c?d", request)));
  EXPECT_EQ(request.query, "b=c?d");
}

TEST(DecodeTarget, RefusesWhatIsMalformed) {
  for (const char* target : {"", "*", "models", "/%", "/%2", "/%zz", "/%00", "/a%0Ab", "/\x7F"}) {
    EXPECT_EQ(DecodedPath(target), "refused") << target;
  }
}

TEST(Request, FindsAndJoinsHeadersInAnyCase) {
  Request request;
  request.headers = {{"if-none-match", "\"a\""}, {"Other", "x"}, {"If-None-Match", "\"b\""}};
  EXPECT_EQ(request.FindHeader("IF-NONE-MATCH"), "\"a\", \"b\"");
  EXPECT_EQ(request.FindHeader("Absent"), std::nullopt);
}

TEST(ErrorResponse, IsJsonWhateverThePeerSent) {
  const Response response = ErrorResponse(404, "no \"\xFF\n\"", "look");
  const auto json = nlohmann::json::parse(std::get<std::string>(response.body));
  EXPECT_EQ(json["error"]["status"], 404);
  EXPECT_EQ(json["error"]["reason"], "Not Found");
  EXPECT_EQ(json["error"]["do"], "look");
}

TEST(ResponseHead, HasALengthUnlessThereCanBeNone) {
  Response response;
  response.body = std::string("four");
  EXPECT_THAT(ResponseHead(response, true, "now"), HasSubstr("Content-Length: 4\r\n"));
  response.status = 304;
  EXPECT_THAT(ResponseHead(response, true, "now"), testing::Not(HasSubstr("Content-Length")));
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    const auto answer = [](std::string_view name) {
      return [name](const Request&, const Router::PathParts& parts) -> Reply {
        Response response;
        response.body = std::string(name);
        for (const std::string_view part : parts) std::get<std::string>(response.body) += part;
        return response;
      };
    };
    router_.Add("GET", "/", answer("root"));
    router_.Add("GET", "/models/", answer("index"));
    router_.Add("GET", "/models/{model}", answer("get "));
    router_.Add("PUT", "/models/{model}", answer("put "));
    router_.Add("GET", "/a/{x}/b/{y}", answer("two "));
  }
  Response Ask(std::string method, std::string path) {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    return std::get<Response>(router_.Handle(request));
  }
  std::string Text(std::string method, std::string path) {
    return std::get<std::string>(Ask(std::move(method), std::move(path)).body);
  }
  Router router_;
};

TEST_F(RouterTest, FindsTheHandlerAndTheParts) {
  EXPECT_EQ(Text("GET", "/"), "root");
  EXPECT_EQ(Text("HEAD", "/models/"), "index");
  EXPECT_EQ(Text("GET", "/models/kws.h"), "get kws.h");
  EXPECT_EQ(Text("PUT", "/models/kws.h"), "put kws.h");
  EXPECT_EQ(Text("GET", "/a/1/b/2"), "two 12");
}

TEST_F(RouterTest, SaysWhatCanBeDoneOtherwise) {
  for (const char* path : {"/x", "/models/a/b", "/models/a/", "/a//b/2", "//", "/models/../x"}) {
    EXPECT_EQ(Ask("GET", path).status, 404) << path;
  }
  const Response refused = Ask("DELETE", "/models/kws.h");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.back().name, "Allow");
  EXPECT_EQ(refused.headers.back().value, "GET, HEAD, PUT");
  EXPECT_EQ(Ask("BREW", "/models/kws.h").status, 501);
}

TEST(ListenAddress, IsHostAndPort) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:8443")->port, 8443);
  EXPECT_EQ(ParseListenAddress("localhost:0")->host, "localhost");
  EXPECT_EQ(ParseListenAddress("[::1]:1")->host, "::1");
  for (const char* text : {"", "8443", ":1", "host:", "host:x", "host:65536", "host:-1", "::1:8"}) {
    EXPECT_FALSE(ParseListenAddress(text).ok()) << text;
  }
  EXPECT_EQ(HostAndPort("::1", 8443), "[::1]:8443");
}

}  // namespace
}  // namespace ota::server
