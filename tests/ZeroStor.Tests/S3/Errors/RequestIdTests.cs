using ZeroStor.Contracts;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3.Errors;

public sealed class RequestIdTests
{
    [Fact]
    public void Ids_are_of_capitals_and_digits_and_no_two_alike()
    {
        string[] ids = [.. Enumerable.Range(0, 1000).Select(_ => RequestId.New(SystemEntropy.Instance))];
        Assert.All(ids, id => Assert.Equal(RequestId.Length, id.Length));
        Assert.All(ids, id => Assert.True(id.All(c => char.IsAsciiDigit(c) || char.IsAsciiLetterUpper(c))));
        Assert.Equal(1000, ids.Distinct().Count());
    }
}
