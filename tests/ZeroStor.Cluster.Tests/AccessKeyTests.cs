using System.Text;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Cluster.Tests;

/// <summary>Access keys outlive their silo, and their secrets are nowhere but under the master key.</summary>
public sealed class AccessKeyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_outlives_its_silo_and_its_secret_is_nowhere_to_be_read()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        AccessKeyGrant made = (await fabric.Client.AccessKeys.CreateAsync(
            new AccessKeySpec
            {
                Rights = VaultRights.Read | VaultRights.List, Vaults = ["default", "later"],
            },
            Cancel))!;
        Assert.Equal(64, made.Secret.Length);
        await fabric.StopAsync();
        Assert.NotEqual(0, FilesWith(fabric.Folder, made.Key.Id));
        Assert.Equal(0, FilesWith(fabric.Folder, made.Secret));
        await fabric.StartSiloAsync();
        AccessKeyGrant found = (await fabric.Client.AccessKeys.FindAsync(made.Key.Id, Cancel))!;
        Assert.Equal(made.Secret, found.Secret);
        Assert.Equal((made.Key.Rights, made.Key.Created), (found.Key.Rights, found.Key.Created));
        Assert.Equal(made.Key.Vaults, found.Key.Vaults);
        Assert.Equal(made.Key.Id, Assert.Single(await fabric.Client.AccessKeys.ListAsync(Cancel)).Id);
        Assert.True(await fabric.Client.AccessKeys.RevokeAsync(made.Key.Id, Cancel));
        Assert.False(await fabric.Client.AccessKeys.RevokeAsync(made.Key.Id, Cancel));
        Assert.Null(await fabric.Client.AccessKeys.FindAsync(made.Key.Id, Cancel));
    }

    [Fact]
    public async Task The_first_key_is_made_once_and_what_cannot_be_one_is_refused()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        var first = new AccessKeySpec { Rights = VaultRights.All, OnlyFirst = true };
        AccessKeyGrant?[] made = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(_ => fabric.Client.AccessKeys.CreateAsync(first, Cancel)));
        Assert.Single(made, m => m is not null);
        await RefusesAsync(new AccessKeySpec { Rights = VaultRights.None });
        await RefusesAsync(new AccessKeySpec { Rights = (VaultRights)64 });
        await RefusesAsync(new AccessKeySpec { Rights = VaultRights.Read, Vaults = ["No Vault"] });
        await RefusesAsync(new AccessKeySpec
        {
            Rights = VaultRights.Read, Vaults = [.. Enumerable.Range(0, 101).Select(i => $"vault{i}")],
        });

        async Task RefusesAsync(AccessKeySpec spec) => Assert.Equal(
            ErrorKind.InvalidArgument,
            (await Assert.ThrowsAsync<ZeroStorException>(() => fabric.Client.AccessKeys.CreateAsync(spec, Cancel))).Kind);
    }

    [Fact]
    public async Task A_secret_goes_along_with_the_master_key()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        AccessKeyGrant made = (await fabric.Client.AccessKeys.CreateAsync(
            new AccessKeySpec { Rights = VaultRights.All }, Cancel))!;
        await fabric.StopAsync();
        string next = Path.Combine(fabric.Folder, "next.key");
        using (MasterKey? key = MasterKeyFile.Create(next, SystemEntropy.Instance, []))
        {
            Assert.NotNull(key);
        }

        await fabric.StartSiloAsync(o => o.NextMasterKeyFile = next);
        Assert.Equal(1, (await fabric.Client.RotateMasterKeyAsync(Cancel)).AccessKeys);
        Assert.Equal(0, (await fabric.Client.RotateMasterKeyAsync(Cancel)).AccessKeys);
        await fabric.StopAsync();
        await fabric.StartSiloAsync(o => o.MasterKeyFile = next);
        Assert.Equal(made.Secret, (await fabric.Client.AccessKeys.FindAsync(made.Key.Id, Cancel))!.Secret);
    }

    private static int FilesWith(string folder, string text) => Directory
        .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Count(f => File.ReadAllBytes(f).AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0);
}
