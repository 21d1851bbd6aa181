using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ZeroStor.S3;

namespace ZeroStor.Tests.S3;

public sealed class WireRequestTests
{
    [Theory]
    [InlineData("/a/../b//c?x=1?2", "/a/../b//c", "x=1?2")]
    [InlineData("/", "/", "")]
    [InlineData("http://s3.example.com/a%2Fb?c", "/a%2Fb", "c")]
    [InlineData("http://s3.example.com", "/", "")]
    [InlineData("*", "/", "")]
    [InlineData("", "/", "")]
    public void The_target_is_kept_as_it_came(string target, string path, string query)
    {
        WireRequest request = Wire.Request("GET", target);
        Assert.Equal((path, query), (request.RawPath, request.RawQuery));
    }

    [Fact]
    public void It_is_read_from_what_the_server_was_sent_and_not_from_what_ASP_NET_made_of_it()
    {
        var http = new DefaultHttpContext();
        http.Request.Method = "PUT";
        http.Request.Path = "/b";
        http.Features.Get<IHttpRequestFeature>()!.RawTarget = "/a/%2E%2E/b?q";
        WireRequest request = WireRequest.Of(http.Request);
        Assert.Equal(("PUT", "/a/%2E%2E/b", "q"), (request.Method, request.RawPath, request.RawQuery));
    }

    [Fact]
    public void Headers_that_came_twice_are_joined()
    {
        WireRequest request = Wire.Request("GET", "/", ("A", "1"), ("a", "2"));
        Assert.Equal("1,2", request.Header("A"));
        Assert.Null(request.Header("b"));
    }
}
