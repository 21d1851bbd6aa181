using CsCheck;
using ZeroStor.CommandLine;

namespace ZeroStor.Tests.Client.Zs;

public sealed class LocalPathsTests
{
    [Theory]
    [InlineData("a", "/out/a", false)]
    [InlineData("a/b.c", "/out/a/b.c", false)]
    [InlineData("a/", "/out/a", true)]
    [InlineData("", "/out", true)]
    [InlineData("...", "/out/...", false)]
    public void Keys_lie_below_the_folder(string key, string path, bool isFolder) =>
        Assert.Equal((path, isFolder), LocalPaths.Below("/out", key));

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("..")]
    [InlineData("/etc/passwd")]
    [InlineData("/")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a//")]
    public void Keys_that_would_lie_elsewhere_are_refused(string key) => Assert.Equal(
        ErrorKind.InvalidArgument,
        Assert.Throws<ZeroStorException>(() => LocalPaths.Below("/out", key)).Kind);

    [Fact]
    public void No_key_whatever_escapes_the_folder_or_meets_another_keys_file() =>
        Gen.Char["./a\\"].Array[0, 8].Select(c => new string(c)).Sample(key =>
        {
            try
            {
                (string path, bool isFolder) = LocalPaths.Below("/out/dir", key);
                Assert.Equal(path, Path.GetFullPath(path));
                Assert.StartsWith("/out/dir", path, StringComparison.Ordinal);
                // The path alone gives the key back: no two keys share one.
                string below = path["/out/dir".Length..].TrimStart('/');
                Assert.Equal(key, isFolder && below.Length > 0 ? below + "/" : below);
            }
            catch (ZeroStorException)
            {
            }
        });

    [Theory]
    [InlineData("a/b.c", "b.c")]
    [InlineData("b", "b")]
    public void A_file_is_named_by_its_keys_last_part(string key, string name) =>
        Assert.Equal(name, LocalPaths.NameOf(key));

    [Theory]
    [InlineData("a/")]
    [InlineData("a/..")]
    [InlineData(".")]
    public void A_key_without_a_name_needs_a_FILE(string key) =>
        Assert.Throws<ZeroStorException>(() => LocalPaths.NameOf(key));
}
