using ZeroStor.CommandLine;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client.Zs;

public sealed class AccessVerbsTests
{
    [Theory]
    [InlineData("read", VaultRights.Read)]
    [InlineData("read,list", VaultRights.Read | VaultRights.List)]
    [InlineData("delete, write,create,list,read", VaultRights.All)]
    public void Rights_are_read_by_their_names(string text, VaultRights rights) =>
        Assert.Equal(rights, AccessVerbs.ParseRights(text));

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("none")]
    [InlineData("all")]
    [InlineData("Read")]
    [InlineData("read;list")]
    public void What_is_no_right_is_refused_with_what_is(string text)
    {
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => AccessVerbs.ParseRights(text));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Contains("read", refusal.Message, StringComparison.Ordinal);
    }
}
