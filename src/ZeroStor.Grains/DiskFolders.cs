using System.Globalization;
using ZeroStor.Placement;

namespace ZeroStor.Grains;

/// <summary>A folder that is, or shall be, a disk.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="IsManaged">Whether the silo makes it, and makes it anew when it vanished.</param>
public readonly record struct DiskFolder(string Path, bool IsManaged);

/// <summary>Which folders of a silo are its disks: those it is told of, and those the map says it
/// had.</summary>
public static class DiskFolders
{
    /// <param name="options">What the silo was told.</param>
    /// <param name="known">This silo's disks in the map; empty at a first start.</param>
    public static IReadOnlyList<DiskFolder> Of(ZeroStorOptions options, IReadOnlyCollection<DiskEntry> known)
    {
        int managed = options.Disks
            ?? (known.Count > 0 || options.DiskPaths.Count > 0 ? 0 : ZeroStorOptions.DefaultDisks);
        var folders = new List<DiskFolder>();
        for (int number = 1; number <= managed; number++)
        {
            string name = "disk" + number.ToString("00", CultureInfo.InvariantCulture);
            folders.Add(new DiskFolder(Path.GetFullPath(Path.Combine(options.Data, name)), IsManaged: true));
        }

        folders.AddRange(options.DiskPaths.Select(p => new DiskFolder(Path.GetFullPath(p), IsManaged: false)));
        folders.AddRange(known.Select(d => new DiskFolder(d.Path, d.IsManaged)));
        return [.. folders.DistinctBy(f => f.Path)];
    }

    /// <summary>Refuses a fabric that could not hold its own default code, before anything is made.</summary>
    /// <exception cref="ZeroStorException">PolicyUnsatisfiable.</exception>
    public static void DemandRoom(IReadOnlyCollection<DiskFolder> folders, Code code)
    {
        DiskEntry[] disks =
        [
            .. folders.Select((folder, i) => new DiskEntry
            {
                Id = new DiskId((uint)i + 1),
                Silo = "",
                Labels = Labels.None,
                Path = folder.Path,
                State = DiskState.Up,
                Claim = 0,
                IsManaged = folder.IsManaged,
            }),
        ];
        if (GroupPlanner.Misfit(disks, code, Spread.Disk) is { } misfit)
        {
            throw new ZeroStorException(ErrorKind.PolicyUnsatisfiable, misfit);
        }
    }
}
