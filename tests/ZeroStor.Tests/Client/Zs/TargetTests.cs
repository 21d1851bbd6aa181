using ZeroStor.CommandLine;

namespace ZeroStor.Tests.Client.Zs;

public sealed class TargetTests
{
    [Theory]
    [InlineData("v", "v", "", false)]
    [InlineData("v/", "v", "", true)]
    [InlineData("v/k", "v", "k", true)]
    [InlineData("v/a/b/", "v", "a/b/", true)]
    [InlineData("v//k", "v", "/k", true)]
    public void The_first_slash_ends_the_vault(string text, string vault, string key, bool hasSlash)
    {
        var target = Target.Parse(text);
        Assert.Equal(new Target(vault, key, hasSlash), target);
        Assert.Equal(text, target.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/k")]
    public void Without_a_vault_it_is_refused(string text) => Refused(() => Target.Parse(text));

    [Theory]
    [InlineData("v")]
    [InlineData("v/")]
    public void An_object_has_a_key(string text) => Refused(() => Target.ParseObject(text));

    [Theory]
    [InlineData("dir/sea.jpg", "v/", "sea.jpg")]
    [InlineData("dir/sea.jpg", "v/2024/", "2024/sea.jpg")]
    [InlineData("dir/sea.jpg", "v/other", "other")]
    [InlineData("-", "v/other", "other")]
    public void A_target_that_ends_in_a_slash_keeps_the_files_name(string file, string target, string key) =>
        Assert.Equal(key, Target.ForPut(file, target).Key);

    [Theory]
    [InlineData("-", "v/")]
    [InlineData("-", "v/2024/")]
    [InlineData("sea.jpg", "v")]
    public void A_put_without_a_key_is_refused(string file, string target) =>
        Refused(() => Target.ForPut(file, target));

    [Theory]
    [InlineData("v", "")]
    [InlineData("v/tree", "tree/")]
    [InlineData("v/tree/", "tree/")]
    public void A_folder_ends_in_one_slash_so_that_tree_is_not_tree2(string text, string folder) =>
        Assert.Equal(folder, Target.Parse(text).Folder);

    private static void Refused(Func<object> parse) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(parse).Kind);
}
