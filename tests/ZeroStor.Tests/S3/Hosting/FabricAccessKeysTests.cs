using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.S3.Hosting;
using ZeroStor.S3.Signing;
using ZeroStor.Tests.Client;

namespace ZeroStor.Tests.S3.Hosting;

public sealed class FabricAccessKeysTests : IAsyncDisposable
{
    private readonly FakeFabric _fabric = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ZeroStorClient _client;
    private readonly FabricAccessKeys _keys;

    public FabricAccessKeysTests()
    {
        _client = new ZeroStorClient(_fabric.Connect(configure: o => o.Patience = TimeSpan.Zero));
        _keys = new FabricAccessKeys(_client, _time);
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Rights_have_the_same_numbers_on_both_sides() => Assert.Equal(
        Enum.GetValues<VaultRights>().Select(r => (r.ToString(), (int)r)),
        Enum.GetValues<AccessRights>().Select(r => (r.ToString(), (int)r)));

    [Fact]
    public async Task A_key_is_asked_for_once_in_ten_seconds_and_gone_within_a_minute_of_its_revocation()
    {
        string id = await MakeAsync();
        AccessKey found = (await _keys.FindAsync(id, Cancel))!;
        Assert.True(found.May(AccessRights.Read, "v"));
        Assert.False(found.May(AccessRights.Read, "w"));
        _fabric.AccessKeys.Clear();
        Assert.Same(found, await _keys.FindAsync(id, Cancel));
        Assert.Equal(1, _fabric.Count("find"));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(await _keys.FindAsync(id, Cancel));
        Assert.Null(await _keys.FindAsync(id, Cancel));
        Assert.Equal(2, _fabric.Count("find"));
    }

    [Fact]
    public async Task While_the_fabric_does_not_answer_what_it_said_holds_for_less_than_a_minute()
    {
        string id = await MakeAsync();
        AccessKey found = (await _keys.FindAsync(id, Cancel))!;
        _fabric.Before = (_, _, _) => throw new ZeroStorException(ErrorKind.Unavailable, "away");
        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.Same(found, await _keys.FindAsync(id, Cancel));
        _time.Advance(TimeSpan.FromSeconds(10));
        ZeroStorException failure = await Assert.ThrowsAsync<ZeroStorException>(
            async () => await _keys.FindAsync(id, Cancel));
        Assert.Equal(ErrorKind.Unavailable, failure.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a/b")]
    public async Task What_cannot_be_a_key_is_not_asked_for(string id)
    {
        Assert.Null(await _keys.FindAsync(id, Cancel));
        Assert.Empty(_fabric.Calls);
    }

    private async Task<string> MakeAsync() => (await _client.AccessKeys.CreateAsync(
        new AccessKeySpec { Rights = VaultRights.Read, Vaults = ["v"] }, Cancel))!.Key.Id;
}
