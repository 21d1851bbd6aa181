using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class CorsRuleTests
{
    private static readonly CorsRule Rule = new()
    {
        Origins = ["https://*.example.com", "http://one"],
        Methods = ["GET", "PUT"],
        Headers = ["x-amz-*", "Content-Type"],
    };

    [Theory]
    [InlineData("https://a.example.com", "GET", "", true)]
    [InlineData("https://.example.com", "PUT", "x-amz-date,content-type", true)]
    [InlineData("http://one", "GET", "X-AMZ-ACL", true)]
    [InlineData("https://example.com", "GET", "", false)]
    [InlineData("https://a.example.com.evil", "GET", "", false)]
    [InlineData("HTTP://one", "GET", "", false)]
    [InlineData("http://one", "DELETE", "", false)]
    [InlineData("http://one", "GET", "x-amz-date,range", false)]
    public void A_rule_lets_through_what_it_names(
        string origin, string method, string headers, bool isAllowed) =>
        Assert.Equal(isAllowed, Rule.Allows(
            origin, method, headers.Split(',', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void A_star_alone_is_everything_and_no_text_stands_for_two_ends_of_a_pattern()
    {
        Assert.True((Rule with { Origins = ["*"] }).Allows("null", "GET", []));
        Assert.False((Rule with { Origins = ["ab*ba"] }).Allows("aba", "GET", []));
        Assert.True((Rule with { Origins = ["ab*ba"] }).Allows("abba", "GET", []));
    }

    [Fact]
    public void Rules_that_are_none_are_refused()
    {
        Assert.Same(Rule, Rule.Check());
        Wire.Refuses(S3Error.MalformedXML, () => (Rule with { Origins = [] }).Check());
        Wire.Refuses(S3Error.MalformedXML, () => (Rule with { Methods = [] }).Check());
        Wire.Refuses(S3Error.MalformedXML, () => (Rule with { Id = new string('i', 256) }).Check());
        Wire.Refuses(S3Error.InvalidRequest, () => (Rule with { Methods = ["PATCH"] }).Check());
        Wire.Refuses(S3Error.InvalidRequest, () => (Rule with { Origins = ["*.*"] }).Check());
        Wire.Refuses(S3Error.InvalidRequest, () => (Rule with { Headers = ["**"] }).Check());
        Wire.Refuses(S3Error.InvalidRequest, () => (Rule with { ExposedHeaders = ["x-*"] }).Check());
    }
}
