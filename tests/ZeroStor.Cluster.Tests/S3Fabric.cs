using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.S3;
using ZeroStor.S3.Hosting;

namespace ZeroStor.Cluster.Tests;

/// <summary>A fabric of one silo in this process, and S3 before it on a port of this machine.</summary>
internal sealed class S3Fabric : IAsyncDisposable
{
    private readonly TestFabric _fabric;
    private readonly IHost _host;

    private S3Fabric(TestFabric fabric, IHost host) => (_fabric, _host) = (fabric, host);

    public ZeroStorClient Client => _fabric.Client;

    /// <summary>A caller with all rights.</summary>
    public S3Caller Caller { get; private set; } = null!;

    /// <summary>Where HTTP/1.1 is spoken, and where HTTP/2.</summary>
    public IReadOnlyList<string> Addresses => _host.Services.GetRequiredService<S3Server>().Addresses;

    private string Address => Addresses[0];

    public static async Task<S3Fabric> StartAsync(Action<S3Options>? configure = null)
    {
        TestFabric fabric = await TestFabric.StartAsync();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(fabric.Client);
        builder.Services.AddZeroStorS3(options =>
        {
            options.Endpoint.Port = 0;
            configure?.Invoke(options);
        });
        var started = new S3Fabric(fabric, builder.Build());
        await started._host.StartAsync();
        started.Caller = await started.CallerAsync(VaultRights.All);
        return started;
    }

    /// <summary>A caller with a key of its own.</summary>
    public async Task<S3Caller> CallerAsync(VaultRights rights, params string[] vaults)
    {
        AccessKeyGrant grant = (await Client.AccessKeys.CreateAsync(
            new AccessKeySpec { Rights = rights, Vaults = [.. vaults] }))!;
        return new S3Caller(Address, grant.Key.Id, grant.Secret);
    }

    /// <summary>A caller without a key, or with one that is none.</summary>
    public S3Caller Stranger(string? accessKey = null) => new(Address, accessKey, "secret");

    public async ValueTask DisposeAsync()
    {
        Caller.Dispose();
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        await _fabric.DisposeAsync();
    }
}
