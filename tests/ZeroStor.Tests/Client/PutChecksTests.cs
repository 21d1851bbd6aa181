using System.Collections.Immutable;
using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class PutChecksTests
{
    [Fact]
    public void Headers_are_bounded_together()
    {
        PutOptions Of(int bytes) => new()
        {
            ContentType = "a/b",
            Headers = ImmutableSortedDictionary<string, string>.Empty.Add("x", new string('v', bytes - 4)),
        };
        PutChecks.CheckHeaders(Of(PutOptions.MaxHeaderBytes));
        Assert.Throws<ZeroStorException>(() => PutChecks.CheckHeaders(Of(PutOptions.MaxHeaderBytes + 1)));
    }

    [Fact]
    public void An_ETag_is_something_that_a_condition_can_mean()
    {
        PutChecks.CheckETag("d41d8cd98f00b204e9800998ecf8427e");
        foreach (string etag in new[] { "", "*", new string('e', PutOptions.MaxETagBytes + 1) })
        {
            Assert.Throws<ZeroStorException>(() => PutChecks.CheckETag(etag));
        }
    }
}
