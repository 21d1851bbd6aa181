using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>Puts the next master key in the place of the fabric's. Every silo must have both by then. The catalog names the
/// next one first, so vaults that are made from then on are under it; then the private keys of all others are wrapped
/// anew, and the secrets of access keys: a few hundred bytes a vault, no epoch and no object. It may be run again at any
/// time, and picks up what is left: a vault that was being made meanwhile, or all that a crash kept it from.</summary>
internal sealed class MasterRotation(FabricKey key, ICatalog catalog, SiloSurvey survey, IGrainFactory grains)
{
    /// <exception cref="ZeroStorException">PreconditionFailed: this silo or another has no next key, or another one, or
    /// does not say.</exception>
    public async Task<MasterRotated> RunAsync(CancellationToken cancel)
    {
        string next = key.Next?.Id ?? throw new ZeroStorException(
            ErrorKind.PreconditionFailed,
            "this silo has no next master key: make one (zs key master FILE) and start all silos with "
            + "--next-master-key FILE first");
        await DemandEverywhereAsync(next, cancel);
        string stands = await catalog.ReplaceMasterKeyAsync(key.Current.Id, next, cancel);
        if (stands != next)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"the fabric is sealed under {stands} by now, and neither of this silo's master keys is that: start it "
                + "with the fabric's");
        }

        int vaults = 0;
        foreach (VaultEntry vault in await catalog.ListVaultsAsync(cancel))
        {
            vaults += await grains.GetGrain<IVaultGrain>(vault.Name).HoldUnderStandingAsync(cancel) ? 1 : 0;
        }

        return new MasterRotated
        {
            Was = key.Current.Id,
            Is = next,
            Vaults = vaults,
            AccessKeys = await grains.GetGrain<IAccessGrain>(0).HoldUnderStandingAsync(cancel),
        };
    }

    private async Task DemandEverywhereAsync(string next, CancellationToken cancel)
    {
        SiloReports reports = await survey.AskAsync(cancel);
        string[] without =
        [
            .. reports.Answers
                .Where(a => a.Value is null || (a.Value.NextMasterKey != next && a.Value.MasterKey != next))
                .Select(a => a.Key)
                .Order(StringComparer.Ordinal),
        ];
        if (without.Length > 0)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"of the silos {string.Join(", ", without)} do not say that they have master key {next}: start them with "
                + "--next-master-key and its file first");
        }
    }
}
