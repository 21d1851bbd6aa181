using System.Collections.Immutable;
using Orleans.Concurrency;
using Orleans.Placement;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>The door to this silo's disks as a whole. It owns nothing, so a second activation would do no
/// harm.</summary>
[SiloPlacement, Reentrant, Immovable]
internal sealed class SiloGrain(
    SiloDisks disks, Scrubber scrubber, SiloSurvey survey, VaultDirectory vaults, ILocalSiloDetails self)
    : Grain, ISiloGrain
{
    public override Task OnActivateAsync(CancellationToken cancellationToken) =>
        this.GetPrimaryKeyString() == self.Name
            ? Task.CompletedTask
            : throw new ZeroStorException(
                ErrorKind.DiskOffline, $"this is silo {self.Name}, and not {this.GetPrimaryKeyString()}");

    // Opening a disk replays it: off the grain's turn.
    public Task<DiskAdded> AddDiskAsync(AddDisk add, CancellationToken cancel) =>
        Task.Run(() => disks.AddAsync(add, cancel), cancel);

    public Task CloseDiskAsync(DiskId disk, CancellationToken cancel) =>
        Task.Run(() => disks.CloseAsync(disk, cancel), cancel);

    public Task<DiskReset> ResetDiskAsync(DiskId disk, CancellationToken cancel) =>
        Task.Run(() => disks.ResetAsync(disk, cancel), cancel);

    public Task<DiskNotes> DiskNotesAsync(DiskId disk, CancellationToken cancel) =>
        Task.FromResult(disks.Notes(disk));

    public Task<ImmutableArray<DiskScrub>> BeginScrubAsync(ScrubOrder order, CancellationToken cancel) =>
        Task.FromResult(scrubber.Begin(order));

    public Task<ImmutableArray<DiskScrub>> ScrubProgressAsync(ScrubOrder order, CancellationToken cancel) =>
        Task.FromResult(scrubber.Progress(order));

    public Task ForgetVaultAsync(string name, CancellationToken cancel)
    {
        vaults.Forget(name);
        return Task.CompletedTask;
    }

    public Task<SiloReport> ReportAsync(CancellationToken cancel) => Task.FromResult(survey.Own());
}
