using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class ObjectHeadersTests
{
    [Fact]
    public void What_an_object_keeps_is_read_and_nothing_else()
    {
        ObjectHeaders kept = Read(
            ("Content-Type", "text/plain"),
            ("Cache-Control", "max-age=1"),
            ("Content-Encoding", "aws-chunked, gzip"),
            ("X-Amz-Meta-Name", "Zoë"),
            ("x-amz-acl", "private"),
            ("Authorization", "secret"));
        Assert.Equal("text/plain", kept.ContentType);
        Assert.Equal(
            ["cache-control=max-age=1", "content-encoding=gzip", "x-amz-meta-name=Zoë"],
            kept.Headers.Select(h => $"{h.Key}={h.Value}"));
    }

    [Theory]
    [InlineData("aws-chunked", null)]
    [InlineData("AWS-Chunked,", null)]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, aws-chunked, br", "gzip,br")]
    public void The_encoding_of_the_way_is_not_kept(string given, string? kept) =>
        Assert.Equal(kept, Read(("Content-Encoding", given)).Headers.GetValueOrDefault("content-encoding"));

    [Fact]
    public void Bytes_of_which_nothing_is_said_have_S3s_type()
    {
        Assert.Equal("binary/octet-stream", Read().ContentType);
        Assert.Equal("binary/octet-stream", Read(("Content-Type", "")).ContentType);
    }

    [Fact]
    public void The_users_own_have_two_kibibytes_without_their_prefix()
    {
        (string, string) name = ("x-amz-meta-ab", new string('v', 1000));
        Assert.Equal(2, Read(name, ("x-amz-meta-c", new string('ä', 522) + "a")).Headers.Count);
        Wire.Refuses(S3Error.MetadataTooLarge, () => Read(name, ("x-amz-meta-c", new string('ä', 523))));
    }

    [Fact]
    public void What_no_text_holds_is_refused() =>
        Wire.Refuses(S3Error.InvalidArgument, () => Read(("x-amz-meta-a", "a\0b")));

    [Theory]
    [InlineData("plain ~ text", "plain ~ text")]
    [InlineData("Zoë", "=?UTF-8?B?Wm/Dqw==?=")]
    [InlineData("a\tb", "=?UTF-8?B?YQli?=")]
    public void What_ASCII_cannot_hold_is_told_as_mail_does(string value, string told) =>
        Assert.Equal(told, HeaderText.Encode(value));

    private static ObjectHeaders Read(params (string, string)[] headers) =>
        ObjectHeaders.Read(Wire.Request("PUT", "/b/k", headers));
}
