using System.Collections.Frozen;
using ZeroStor.Client;
using ZeroStor.S3.Errors;
using ZeroStor.S3.Operations;
using ZeroStor.S3.Protocol;
using ZeroStor.S3.Signing;
using ZeroStor.Tests.Client;

namespace ZeroStor.Tests.S3.Operations;

public sealed class GateTests
{
    private const AccessRights All = AccessRights.All;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/photos/k", AccessRights.Read)]
    [InlineData("HEAD", "/photos/k", AccessRights.Read)]
    [InlineData("PUT", "/photos/k", AccessRights.Write)]
    [InlineData("PUT", "/photos/k?partNumber=1&uploadId=u", AccessRights.Write)]
    [InlineData("DELETE", "/photos/k", AccessRights.Delete)]
    [InlineData("POST", "/photos?delete", AccessRights.Delete)]
    [InlineData("GET", "/photos", AccessRights.List)]
    [InlineData("HEAD", "/photos", AccessRights.List)]
    [InlineData("PUT", "/photos", AccessRights.Create)]
    [InlineData("DELETE", "/photos", AccessRights.Create)]
    [InlineData("PUT", "/photos?policy", AccessRights.Create)]
    public async Task A_key_needs_the_right_and_the_vault(string method, string target, AccessRights right)
    {
        await DemandAsync(KeyOf(right, "photos"), method, target);
        await RefusesAsync(KeyOf(All & ~right, "photos"), method, target);
        await RefusesAsync(KeyOf(All, "films"), method, target);
        await DemandAsync(KeyOf(All), method, target);
    }

    [Fact]
    public async Task A_copy_needs_both_ends()
    {
        (string, string) source = ("x-amz-copy-source", "/films/k");
        await DemandAsync(
            KeyOf(AccessRights.Write | AccessRights.Read, "photos", "films"), "PUT", "/photos/k", source);
        await RefusesAsync(KeyOf(All, "photos"), "PUT", "/photos/k", source);
        await RefusesAsync(KeyOf(AccessRights.Write, "photos", "films"), "PUT", "/photos/k", source);
    }

    [Fact]
    public void Every_operation_but_a_preflight_needs_a_right()
    {
        foreach (S3Operation operation in Enum.GetValues<S3Operation>())
        {
            Assert.Equal(
                operation == S3Operation.CorsPreflight, Gate.RightsOf(operation) == AccessRights.None);
        }
    }

    private static AccessKey KeyOf(AccessRights rights, params string[] vaults) =>
        new("ID", "secret", rights, vaults.Length == 0 ? null : vaults.ToFrozenSet());

    private static ValueTask DemandAsync(
        AccessKey key, string method, string target, params (string, string)[] headers)
    {
        var store = new BucketSettingsStore(
            new ZeroStorClient(new FakeFabric().Connect()), TimeProvider.System);
        var request = S3Request.Parse(Wire.Request(method, target, headers), []);
        return new Gate(store).DemandAsync(request, new Caller(key, PayloadHash.Unsigned, null), Cancel);
    }

    private static Task<S3Exception> RefusesAsync(
        AccessKey key, string method, string target, params (string, string)[] headers) =>
        Wire.RefusesAsync(S3Error.AccessDenied, async () => await DemandAsync(key, method, target, headers));
}
