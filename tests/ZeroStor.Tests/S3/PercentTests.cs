using System.Text;
using ZeroStor.S3;

namespace ZeroStor.Tests.S3;

public sealed class PercentTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("aZ09-._~", "aZ09-._~")]
    [InlineData("a b+c%", "a%20b%2Bc%25")]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("ä🙂", "%C3%A4%F0%9F%99%82")]
    [InlineData("*'()!", "%2A%27%28%29%21")]
    public void Encoding_is_S3s(string text, string encoded)
    {
        Assert.Equal(encoded, Percent.Encode(text, keepSlash: false));
        Assert.True(Percent.TryDecode(encoded, plusIsSpace: false, out string decoded));
        Assert.Equal(text, decoded);
    }

    [Fact]
    public void Every_byte_comes_back_and_a_slash_stays_where_it_may()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];
        Assert.True(
            Percent.TryDecode(Percent.Encode(all, keepSlash: false), plusIsSpace: true, out byte[] decoded));
        Assert.Equal(all, decoded);
        Assert.Equal("a/%2B", Percent.Encode("a/+", keepSlash: true));
    }

    [Theory]
    [InlineData("%")]
    [InlineData("a%4")]
    [InlineData("%4G")]
    [InlineData("%%20")]
    [InlineData("% 1")]
    [InlineData("%C3")]
    [InlineData("%C3%28")]
    [InlineData("%ED%A0%80")]
    public void What_is_not_encoded_text_is_refused(string text) =>
        Assert.False(Percent.TryDecode(text, plusIsSpace: false, out string _));

    [Fact]
    public void A_plus_is_a_space_in_a_query_alone()
    {
        Assert.True(Percent.TryDecode("a+b%2B", plusIsSpace: true, out string query));
        Assert.True(Percent.TryDecode("a+b%2B", plusIsSpace: false, out string path));
        Assert.Equal(("a b+", "a+b+"), (query, path));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_bytes_all_the_same()
    {
        Assert.True(Percent.TryDecode("%FF%fe", plusIsSpace: false, out byte[] bytes));
        Assert.Equal([0xFF, 0xFE], bytes);
        Assert.Equal(Encoding.UTF8.GetBytes("ö"), Decoded("ö"));

        static byte[] Decoded(string raw) =>
            Percent.TryDecode(raw, plusIsSpace: false, out byte[] b) ? b : [];
    }
}
