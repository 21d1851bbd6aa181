using ZeroStor.S3.Errors;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Protocol;

public sealed class TagSetTests
{
    [Fact]
    public void A_header_holds_tags_as_a_query_does()
    {
        TagSet tags = TagSet.OfHeader("b=2%20%C3%A4&a=1&empty");
        Assert.Equal(["a=1", "b=2 ä", "empty="], tags.Tags.Select(t => $"{t.Key}={t.Value}"));
        Assert.Empty(TagSet.OfHeader(null).Tags);
        Wire.Refuses(S3Error.InvalidArgument, () => TagSet.OfHeader("a=%"));
    }

    [Fact]
    public void Tags_are_bounded_in_number_and_length()
    {
        Assert.Single(Make((new string('k', 128), new string('v', 256))).Tags);
        Wire.Refuses(S3Error.InvalidTag, () => Make((new string('k', 129), "")));
        Wire.Refuses(S3Error.InvalidTag, () => Make(("k", new string('v', 257))));
        Wire.Refuses(S3Error.InvalidTag, () => Make(("", "v")));
        Wire.Refuses(S3Error.InvalidTag, () => Make(("k\0", "v")));
        Wire.Refuses(S3Error.InvalidTag, () => Make(("k", "v"), ("k", "w")));
        Wire.Refuses(S3Error.InvalidTag, () => Make(("AWS:k", "v")));
        (string, string)[] ten = [.. Enumerable.Range(0, 10).Select(i => ($"k{i}", ""))];
        Assert.Equal(10, Make(ten).Tags.Count);
        Wire.Refuses(S3Error.InvalidArgument, () => Make([.. ten, ("one", "more")]));
    }

    private static TagSet Make(params (string, string)[] tags) => TagSet.Make(
        tags.Select(t => KeyValuePair.Create(t.Item1, t.Item2)), TagSet.MaxOfObject);
}
